"""The cluster as its pillar describes it and its runs made it. Pure."""

from saltroni.pillar import timings
from saltroni.report import changed

ROLES = ("master", "etcd", "patroni", "haproxy", "s3")


def nodes(model, latest):
    """Every node of the cluster: ``{name, address, roles, memory_mb, cpus, applied}``.

    Args:
        model: see :mod:`saltroni.clusters`.
        latest: see :func:`saltroni.report.runs.latest`.
    """
    ordered = sorted(model["nodes"].items(), key=lambda item: (_place(item[1]["roles"][0]), item[0]))
    return [
        {
            "name": name,
            "address": node["address"],
            "roles": [_role(role) for role in node["roles"]],
            "memory_mb": node.get("memory_mb"),
            "cpus": node.get("cpus"),
            "applied": latest.get(name),
        }
        for name, node in ordered
    ]


def _place(role):
    return ROLES.index(role) if role in ROLES else len(ROLES)


def _role(role):
    return (f"role_{role}", {}) if role in ROLES else ("role_other", {"role": role})


def versions(packages):
    """Versions of the programs that matter: ``[(program, version, nodes)]``."""
    return [
        (package, version, sorted(where))
        for package, by_version in sorted(packages.items())
        if changed.PROGRAMS.match(package)
        for version, where in sorted(by_version.items())
    ]


def replication(model):
    """What a commit means in this cluster, as a phrase."""
    postgresql = model["postgresql"]
    return (f"r_{postgresql['replication']}", {"number": postgresql["synchronous_nodes"]})


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
        "ended_s": timings.ENDED_MS / 1000,
        "released_s": released,
        "ttl_s": times["ttl_s"],
        "loop_wait_s": times["loop_wait_s"],
        "limit_s": limit,
        "holds": released < limit,
    }


def security(model, latest):
    """Measures that the states apply: ``[(phrase, nodes where the latest run was clean, all such nodes)]``."""
    days, renew = model["certificates"]["days"], model["certificates"]["renew_days"]
    where, every = model["by_role"], sorted(model["nodes"])
    measures = [
        (("m_authority", {}), where["master"]),
        (("m_certificates", {"days": days, "renew": renew}), every),
        (("m_etcd_tls", {}), where["etcd"]),
        (("m_etcd_users", {}), where["etcd"]),
        (("m_rest", {}), where["patroni"]),
        (("m_postgresql", {}), where["patroni"]),
        (("m_haproxy", {}), where["haproxy"]),
        (("m_secrets", {}), every),
    ]
    return [(measure, [node for node in on if _clean(latest.get(node))], on) for measure, on in measures]


def _clean(part):
    return part is not None and not part["failed"] and not part["error"]
