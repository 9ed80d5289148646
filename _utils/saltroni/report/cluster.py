"""The cluster as its pillar describes it and its runs made it. Pure."""

from saltroni.pillar import timings
from saltroni.report import changed

ROLES = {
    "master": "Salt master, certificate authority",
    "etcd": "etcd",
    "patroni": "PostgreSQL, Patroni",
    "haproxy": "HAProxy",
}

REPLICATION = {
    "async": "asynchronous: a commit is acknowledged when the leader has it; a failover may lose the latest",
    "sync": "synchronous: a commit is acknowledged when the leader and the synchronous standby have it; "
    "with no standby left, the leader goes on alone",
    "quorum": "quorum: a commit is acknowledged when the leader and {number} of the other members have it, "
    "whichever is first; with no standby left, the leader goes on alone",
    "strict": "strict quorum: a commit is acknowledged when the leader and {number} of the other members have it; "
    "with no standby left, writes wait",
}


def nodes(model, latest):
    """Every node of the cluster: ``{name, address, roles, memory_mb, cpus, applied}``.

    Args:
        model: see :mod:`saltroni.clusters`.
        latest: see :func:`saltroni.report.runs.latest`.
    """
    ordered = sorted(model["nodes"].items(), key=lambda item: (list(ROLES).index(item[1]["roles"][0]), item[0]))
    return [
        {
            "name": name,
            "address": node["address"],
            "roles": [ROLES[role] for role in node["roles"]],
            "memory_mb": node.get("memory_mb"),
            "cpus": node.get("cpus"),
            "applied": latest.get(name),
        }
        for name, node in ordered
    ]


def versions(packages):
    """Versions of the programs that matter: ``[(program, version, nodes)]``."""
    return [
        (package, version, sorted(where))
        for package, by_version in sorted(packages.items())
        if changed.PROGRAMS.match(package)
        for version, where in sorted(by_version.items())
    ]


def replication(model):
    """What a commit means in this cluster, as a sentence."""
    postgresql = model["postgresql"]
    return REPLICATION[postgresql["replication"]].format(number=postgresql["synchronous_nodes"])


def release(model):
    """The rule by which a load balancer lets go of a leader before its lease can end, with its numbers."""
    haproxy, times = model["haproxy"], model["timings"]
    released = timings.release_s(haproxy)
    limit = times["ttl_s"] - times["loop_wait_s"]
    return {
        "inter_s": haproxy["inter_ms"] / 1000,
        "fall": haproxy["fall"],
        "check_s": haproxy["timeout_check_ms"] / 1000,
        "fastinter_s": haproxy["fastinter_ms"] / 1000,
        "released_s": released,
        "ttl_s": times["ttl_s"],
        "loop_wait_s": times["loop_wait_s"],
        "limit_s": limit,
        "holds": released < limit,
    }


def security(model, latest):
    """Measures that the states apply: ``[(roles, measure, nodes where the latest run was clean, all such nodes)]``."""
    days, renew = model["certificates"]["days"], model["certificates"]["renew_days"]
    master = model["by_role"]["master"]
    every = sorted(model["nodes"])
    measures = [
        ("One certificate authority for this cluster; its key never leaves the master", master),
        (
            f"Each node gets certificates for its own names only; they last {days} days and are renewed "
            f"{renew} days before they end",
            every,
        ),
        ("etcd: members and clients prove who they are by certificates (mTLS)", model["by_role"]["etcd"]),
        ("etcd: users and rights are on; Patroni may touch its own keys only", model["by_role"]["etcd"]),
        ("Patroni's REST API: TLS with client certificates, and a password for changes", model["by_role"]["patroni"]),
        (
            "PostgreSQL: every connection from the network needs TLS and a password checked by scram-sha-256; "
            "everything else is rejected",
            model["by_role"]["patroni"],
        ),
        ("HAProxy: health checks use a client certificate and verify the server's name", model["by_role"]["haproxy"]),
        (
            "Passwords are generated for this cluster, kept on the master, and told to the roles that need them; "
            "none has a default",
            every,
        ),
    ]
    return [(measure, [node for node in where if _clean(latest.get(node))], where) for measure, where in measures]


def _clean(part):
    return part is not None and not part["failed"] and not part["error"]
