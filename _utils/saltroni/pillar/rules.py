"""Rules between values of the pillar. Each function returns the broken ones as (path, value, rule)."""

import re

from saltroni import faults
from saltroni.guard import lease
from saltroni.pillar import memory, timings

#: Names that mean something else to a program that reads them from a certificate.
RESERVED = {"root", "localhost"}


def layout(model):
    """Who is there, where, and how many."""
    found = []
    seen = {}
    for name, node in sorted(model["nodes"].items()):
        if name in RESERVED:
            found.append((f"nodes:{name}", name, "this name is reserved"))
        if node["address"] in seen:
            found.append(
                (
                    f"nodes:{name}:address",
                    node["address"],
                    f"an address belongs to one node, {seen[node['address']]} has this one too",
                )
            )
        seen[node["address"]] = name
    count = {role: len(names) for role, names in model["by_role"].items()}
    if count["etcd"] % 2 == 0:
        found.append(("nodes", f"{count['etcd']} with role etcd", "etcd needs an odd number of members: 1, 3 or 5"))
    if count["patroni"] < 1:
        found.append(("nodes", "none with role patroni", "a cluster needs PostgreSQL nodes"))
    if count["master"] != 1:
        found.append(
            ("nodes", f"{count['master']} with role master", "exactly one node is Salt's master and holds the CA")
        )
    standbys = count["patroni"] - 1
    wanted = model["postgresql"]["synchronous_nodes"]
    if model["postgresql"]["replication"] != "async" and standbys and wanted > standbys:
        found.append(("postgresql:synchronous_nodes", wanted, f"there are only {standbys} standbys that could confirm"))
    ports = sorted(model["haproxy"]["ports"].values())
    if len(set(ports)) != len(ports):
        found.append(("haproxy:ports", ports, "a port serves one purpose"))
    if model["etcd"]["election_ms"] < 5 * model["etcd"]["heartbeat_ms"]:
        found.append(
            ("etcd:election_ms", model["etcd"]["election_ms"], "must be at least 5 x heartbeat_ms, etcd refuses less")
        )
    if model["certificates"]["renew_days"] >= model["certificates"]["days"]:
        found.append(
            (
                "certificates:renew_days",
                model["certificates"]["renew_days"],
                "must be less than certificates:days, else every run makes new ones",
            )
        )
    return found


def schedule(model):
    """Drills on a schedule are of faults that there are, on a cluster that allows them."""
    wanted, found = model["drills"]["schedule"], []
    known = faults.known() if wanted["faults"] else {}
    strange = [name for name in wanted["faults"] if name not in known]
    if strange:
        found.append(("drills:schedule:faults", strange, f"no such fault: there are {', '.join(known)}"))
    if wanted["calendar"] and not model["drills"]["allowed"]:
        found.append(("drills:schedule:calendar", wanted["calendar"], "drills must be allowed first: drills:allowed"))
    return found


def folders(model):
    """WAL is in the data directory or beside it."""
    data, wal = model["folders"]["data"], model["folders"]["wal"]
    if not f"{wal}/".startswith(f"{data}/"):
        return []
    return [("postgresql:wal_dir", model["postgresql"]["wal_dir"], f"WAL would be in {wal}, inside the data in {data}")]


def timing(model):
    """Timings of Patroni and HAProxy, see :mod:`saltroni.pillar.timings`, and of the lease guard."""
    return timings.problems(model["timings"], model["haproxy"]) + guard(model)


def guard(model):
    """What the lease guard needs so that it never acts on a leader that is well."""
    chosen, found = model["guard"], []
    if not chosen["enabled"]:
        return found
    needed = model["timings"]["loop_wait_s"] + model["timings"]["retry_timeout_s"] + lease.MARGIN_S + 1
    if chosen["lease"] and needed > model["timings"]["ttl_s"]:
        text = (
            f"loop_wait_s + retry_timeout_s + {lease.MARGIN_S + 1:g} must not exceed ttl_s "
            f"({model['timings']['ttl_s']} s): the lease guard would stop a leader that only waits for etcd"
        )
        found.append(("guard:lease", chosen["lease"], text))
    if chosen["connections"] and chosen["for_s"] < 2 * chosen["connect_timeout_s"]:
        found.append(
            ("guard:for_s", chosen["for_s"], "must be at least 2 x connect_timeout_s: one slow answer proves nothing")
        )
    if chosen["port"] in (model["patroni"]["port"], model["postgresql"]["port"]):
        found.append(("guard:port", chosen["port"], "Patroni or PostgreSQL has this port"))
    return found


def storage(model):
    """The node with role s3, and where backups go."""
    chosen, owners = model["backup"]["storage"], model["by_role"]["s3"]
    endpoint, folder, found = chosen["endpoint"], chosen["folder"], []
    if len(owners) > 1:
        found.append(("nodes", f"{len(owners)} with role s3", "at most one node has role s3: it is one storage"))
    for name in owners:
        memory_mb = model["nodes"][name]["memory_mb"]
        if memory_mb < S3_MB:
            found.append((f"nodes:{name}:memory_mb", memory_mb, f"a node with role s3 needs {S3_MB} MiB"))
    if owners and endpoint:
        text = f"{owners[0]} has role s3 and is the storage of this cluster: leave this empty, or take the role away"
        found.append(("backup:storage:endpoint", endpoint, text))
    if not model["backup"]["enabled"]:
        return found
    if chosen["kind"] == "s3" and not endpoint and not owners:
        found.append(("backup:storage:endpoint", "''", "needed, as no node of this cluster has role s3"))
    if chosen["kind"] == "s3" and model["backup"]["tool"] == "pgbackrest" and ADDRESS.match(endpoint):
        text = "pgBackRest compares names in certificates, never addresses: say the storage's name"
        found.append(("backup:storage:endpoint", endpoint, text))
    if chosen["kind"] == "folder" and not folder:
        found.append(("backup:storage:folder", "''", "kind folder needs one, the same on all PostgreSQL nodes"))
    if chosen["kind"] == "folder" and _inside(model, folder):
        text = "backups beside PostgreSQL's own files are lost with them: a file system of its own is needed"
        found.append(("backup:storage:folder", folder, text))
    return found


def backup(model):
    """What makes backups."""
    chosen, walg, found = model["backup"], model["backup"]["walg"], storage(model)
    if not chosen["enabled"]:
        return found
    if chosen["tool"] == "walg" and not walg["source"]:
        text = "say where the program wal-g comes from, or set backup:tool to pgbackrest, which Debian has"
        found.append(("backup:walg:source", "''", text))
    if chosen["tool"] == "walg" and walg["source"].startswith("https:") and not walg["sha256"]:
        found.append(("backup:walg:sha256", "''", "a program from a URL is only taken if its SHA-256 is known"))
    taken = (model["patroni"]["port"], model["postgresql"]["port"], model["guard"]["port"])
    if chosen["tool"] == "pgbackrest" and chosen["port"] in taken:
        found.append(("backup:port", chosen["port"], "Patroni, PostgreSQL or the lease guard has this port"))
    own = model["postgresql"]["parameters"]
    text = "backup sets it: see backup:enabled"
    return found + [(f"postgresql:parameters:{name}", own[name], text) for name in ARCHIVING if name in own]


#: An endpoint that is an address.
ADDRESS = re.compile(r"https://[0-9.]+(:|$)")
#: What SeaweedFS takes at least (MiB): 120 when idle, 270 while two files of a base backup come at once.
S3_MB = 512
#: Parameters of PostgreSQL that follow from ``backup`` where it is enabled.
ARCHIVING = ("archive_mode", "archive_command", "archive_library", "archive_timeout", "archive_cleanup_command")


def _inside(model, folder):
    own = [model["folders"]["data"], model["folders"]["wal"], "/var/lib/postgresql"]
    return any(place and f"{folder}/".startswith(f"{place}/") for place in own)


#: Set by Patroni itself or by this project's security; a user's value would be overruled silently.
OWN = (
    "listen_addresses", "port", "cluster_name", "primary_conninfo", "primary_slot_name", "hot_standby", "wal_log_hints",
    "synchronous_standby_names", "restore_command", "recovery_target_timeline", "hba_file", "ident_file", "data_directory",
    "ssl", "ssl_ca_file", "ssl_cert_file", "ssl_key_file", "password_encryption", "unix_socket_directories",
)  # fmt: skip


def memory_fits(model, seen_mb):
    """PostgreSQL's memory against the smallest node, and each node against what it was seen to have."""
    found = [
        (
            f"postgresql:parameters:{name}",
            model["postgresql"]["parameters"][name],
            "Saltroni or Patroni sets it",
        )
        for name in OWN
        if name in model["postgresql"]["parameters"]
    ]
    for name, available in sorted(seen_mb.items()):
        claimed = model["nodes"].get(name, {}).get("memory_mb", 0)
        # firmware and kernel keep a part of what a machine was given
        if claimed * 0.85 > available:
            found.append((f"nodes:{name}:memory_mb", claimed, f"the node has {available} MiB, it can't have more"))
    parameters = model["dcs"]["postgresql"]["parameters"]
    try:
        needed = memory.committed_mb(parameters)
    except ValueError as err:
        return found + [("postgresql:parameters", "...", str(err))]
    for name in model["by_role"]["patroni"]:
        has = model["nodes"][name]["memory_mb"]
        if needed > has:
            sizes = ", ".join(
                f"{key} {parameters[key]}"
                for key in ("shared_buffers", "work_mem", "max_connections", "maintenance_work_mem")
            )
            found.append(
                (
                    "postgresql:parameters",
                    f"{sizes}: {needed} MiB",
                    "shared_buffers + max_connections x work_mem + autovacuum_max_workers x maintenance_work_mem "
                    f"must fit into the memory of {name} ({has} MiB)",
                )
            )
    return found
