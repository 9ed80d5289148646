"""From what a user wrote in ``pillar/cluster.sls`` to everything that follows from it, or to what is wrong with it."""

import copy
import ipaddress

from saltroni.failover import presets
from saltroni.pillar import backups, memory, rules, schema


class PillarError(ValueError):
    """The pillar breaks rules; :attr:`problems` lists them as (path, value, rule)."""

    def __init__(self, problems):
        self.problems = problems
        lines = [f"  saltroni:{path} = {value}: {rule}" for path, value, rule in problems]
        super().__init__("pillar/cluster.sls is refused and nothing is changed:\n" + "\n".join(lines))


def fill(value, part):
    """``value`` with every default that the schema ``part`` knows filled in; unknown values stay as they are."""
    if part.get("type") != "object" or not isinstance(value, dict):
        return value
    filled = dict(value)
    for name, inner in part.get("properties", {}).items():
        if name not in filled and "default" in inner:
            filled[name] = copy.deepcopy(inner["default"])
        if name in filled:
            filled[name] = fill(filled[name], inner)
    extra = part.get("additionalProperties")
    if isinstance(extra, dict):
        for name in filled:
            if name not in part.get("properties", {}):
                filled[name] = fill(filled[name], extra)
    return filled


def _path(error):
    return ":".join(str(step) for step in error.absolute_path) or "(top)"


def _formats(checker):
    @checker.checks("ipv4network", raises=ValueError)
    def _network(value):
        ipaddress.IPv4Network(value)
        return True

    return checker


def check_shape(settings):
    """What the schema finds in ``settings``, as (path, value, rule).

    Raises:
        ImportError: the Python that runs this has no jsonschema.
    """
    import jsonschema  # only the master needs it, minions never check

    checker = _formats(jsonschema.FormatChecker())
    validator = jsonschema.Draft202012Validator(schema.SCHEMA, format_checker=checker)
    found = []
    for error in sorted(validator.iter_errors(settings), key=lambda e: [str(p) for p in e.absolute_path]):
        value = "..." if isinstance(error.instance, (dict, list)) else repr(error.instance)
        found.append((_path(error), value, error.message))
    return found


def build(settings, memory_mb=None):
    """Everything that follows from ``settings`` (the pillar's ``saltroni``).

    Args:
        settings: what the user wrote.
        memory_mb: ``{node: MiB}`` that nodes were seen to have; a node that claims more is refused.

    Returns:
        the settings with defaults, plus ``by_role`` (role -> names), ``folders`` (PostgreSQL's ``data`` and ``wal``, empty
        if WAL is in the data directory), ``dcs`` (Patroni's dynamic configuration), ``pg_hba`` and ``names`` (node -> names
        for its certificates); ``backup`` is completed, see :func:`saltroni.pillar.backups.completed`.

    Raises:
        PillarError: with every rule that is broken.
    """
    found = check_shape(settings)
    if found:
        raise PillarError(found)
    model = fill(presets.applied(settings), schema.SCHEMA)
    model["by_role"] = {
        role: sorted(name for name, node in model["nodes"].items() if role in node["roles"]) for role in schema.ROLES
    }
    model["folders"] = folders(model)
    found = rules.layout(model) + rules.folders(model) + rules.timing(model) + rules.schedule(model)
    found += rules.backup(model)
    if not found:
        model["backup"] = backups.completed(model)
        model["dcs"] = dynamic_configuration(model)
        found = rules.memory_fits(model, memory_mb or {})
    if found:
        raise PillarError(found)
    model["pg_hba"] = host_based_access(model)
    model["names"] = certificate_names(model)
    return model


def addresses(model, role):
    """Addresses of the nodes that have ``role``, in the order of their names."""
    return [model["nodes"][name]["address"] for name in model["by_role"][role]]


def folders(model):
    """Where a member keeps its data, and its WAL if that is elsewhere.

    Both are folders below one that belongs to PostgreSQL: Patroni removes and makes them, which it can't do with a mount point.
    """
    own = f"{model['postgresql']['version']}/{model['cluster']}"
    chosen = model["postgresql"]["wal_dir"]
    return {"data": f"/var/lib/postgresql/{own}", "wal": f"{chosen}/{own}" if chosen else ""}


def primary_start_timeout_s(model):
    """Without a synchronous standby another leader may lack rows, so a crashed one gets time to recover."""
    chosen = model["timings"]["primary_start_timeout_s"]
    if chosen == 0 and model["postgresql"]["replication"] == "async":
        return 30
    return chosen


REPLICATION = {
    "async": {"synchronous_mode": False, "synchronous_mode_strict": False},
    "sync": {"synchronous_mode": True, "synchronous_mode_strict": False},
    "quorum": {"synchronous_mode": "quorum", "synchronous_mode_strict": False},
    "strict": {"synchronous_mode": "quorum", "synchronous_mode_strict": True},
}

PARAMETERS = {
    "max_connections": 100,
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "max_worker_processes": 8,
    "max_prepared_transactions": 0,
    "max_locks_per_transaction": 64,
    "autovacuum_max_workers": 3,
    "wal_level": "replica",
    "wal_log_hints": "on",
    "wal_keep_size": "128MB",
    "max_slot_wal_keep_size": "4GB",
    "hot_standby": "on",
    "hot_standby_feedback": "on",
    "track_commit_timestamp": "off",
    "password_encryption": "scram-sha-256",
    "ssl_min_protocol_version": "TLSv1.2",
    "checkpoint_completion_target": 0.9,
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_connections": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "client_connection_check_interval": "10s",
    "wal_receiver_timeout": "10s",
    # a promotion that is asked for while a standby waits for its next try waits with it: 5 s by default
    "wal_retrieve_retry_interval": "500ms",
    "wal_sender_timeout": "10s",
}


def postgresql_parameters(model):
    """postgresql.conf: our defaults, memory from the smallest node, and the user's own values over both."""
    chosen = model["postgresql"]["parameters"]
    merged = dict(PARAMETERS, **backups.parameters(model), **chosen)
    smallest = min(model["nodes"][name]["memory_mb"] for name in model["by_role"]["patroni"])
    merged = dict(memory.defaults(smallest, int(merged["max_connections"])), **merged)
    return {name: _setting(value) for name, value in sorted(merged.items())}


def _setting(value):
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


def dynamic_configuration(model):
    """Patroni's cluster-wide configuration, as its REST API returns it from ``/config``."""
    chosen = model["timings"]
    return dict(
        REPLICATION[model["postgresql"]["replication"]],
        ttl=chosen["ttl_s"],
        loop_wait=chosen["loop_wait_s"],
        retry_timeout=chosen["retry_timeout_s"],
        primary_start_timeout=primary_start_timeout_s(model),
        maximum_lag_on_failover=chosen["maximum_lag_on_failover_bytes"],
        synchronous_node_count=model["postgresql"]["synchronous_nodes"],
        failsafe_mode=True,
        check_timeline=True,
        postgresql={
            **backups.recovery(model),
            "use_pg_rewind": True,
            # a rewind that broke off leaves data that never starts again: a copy of the healthy leader's takes its place
            "remove_data_directory_on_rewind_failure": True,
            "use_slots": True,
            "parameters": postgresql_parameters(model),
        },
    )


def host_based_access(model):
    """Lines of pg_hba.conf: TLS and scram for everyone, the operating system's word only on the socket.

    A connection from the network reaches PostgreSQL from a load balancer, from another member (replication,
    pg_rewind, drills) or from ``postgresql:networks``.
    """
    members = [f"{address}/32" for address in addresses(model, "patroni")]
    balancers = [f"{address}/32" for address in addresses(model, "haproxy")]
    lines = ["local all postgres peer map=saltroni", "local all all reject"]
    for network in members:
        lines.append(f"hostssl replication replicator {network} scram-sha-256")
        lines.append(f"hostssl all all {network} scram-sha-256")
    for network in balancers + model["postgresql"]["networks"]:
        # the cluster's own accounts have no business there
        lines.append(f"host all postgres,replicator,rewind {network} reject")
        lines.append(f"hostssl all all {network} scram-sha-256")
    if model["drills"]["allowed"]:
        # a drill may be called on any node and asks each member what it has replayed
        for node in model["nodes"].values():
            lines.append(f"hostssl saltroni_drill saltroni_drill {node['address']}/32 scram-sha-256")
    lines.append("host all all 0.0.0.0/0 reject")
    lines.append("host all all ::/0 reject")
    return list(dict.fromkeys(lines))


def certificate_names(model):
    """Names and addresses for each node's certificates.

    A database's certificate also carries the load balancers' names: clients verify the name they connected to.
    """
    balancers = [
        entry
        for name in model["by_role"]["haproxy"]
        for entry in (f"DNS:{name}", f"IP:{model['nodes'][name]['address']}")
    ]
    balancers += [f"DNS:{name}" for name in model["postgresql"]["names"]]
    names = {}
    for name, node in model["nodes"].items():
        own = [f"DNS:{name}", f"IP:{node['address']}"]
        names[name] = {
            role: list(dict.fromkeys(own + (balancers if role == "patroni" else []))) for role in node["roles"]
        }
    return names
