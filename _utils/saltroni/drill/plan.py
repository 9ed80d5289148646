"""Which fault is made on which node, and when. Worked out before anything is broken."""

from saltroni import faults
from saltroni.drill import aims
from saltroni.etcd import gateway
from saltroni.patroni import rest, view


def seen(model, leader, balancer):
    """The cluster as :mod:`saltroni.drill.aims` looks at it.

    Raises:
        RestError, EtcdHttpError: nobody answers.
    """
    members = view.table(rest.ask_any(model, "/cluster"))["members"]
    return {
        "leader": leader,
        "members": members,
        "etcd_leader": etcd_leader(model),
        "balancer": balancer,
        "observer": model["self"]["name"],
    }


def etcd_leader(model):
    """Name of etcd's own leader, None if no member knows. Source: *etcd API*, "Maintenance service", ``Status``."""
    for name in model["by_role"]["etcd"]:
        client = gateway.Client(model, "drill", model["secrets"]["etcd_drill"], only=name)
        try:
            status = client.call("/v3/maintenance/status", {})
        except gateway.EtcdHttpError:
            continue
        if status.get("leader") and status["leader"] == status["header"]["member_id"]:
            return name
    return None


def strikes(model, fault, looked):
    """``[(fault, aim, [nodes], when)]`` of a drill's fault.

    Args:
        fault: a :class:`saltroni.faults.Fault`.
        looked: see :func:`seen`.

    Raises:
        aims.NoAim: nobody to strike, or the node that does the drill.
    """
    planned = []
    for strike in fault.strikes:
        part = faults.named(strike.fault)
        nodes = aims.nodes(strike.aim, model, looked, part.takes_node)
        planned.append((part, strike.aim, nodes, strike.when))
    return planned


def told(planned):
    """The plan in words: ``["postmaster_killed on pg1 (leader), at once"]``."""
    lines = []
    for part, aim, nodes, when in planned:
        whom = "whoever leads then" if when == faults.AFTER_PROMOTION else ", ".join(nodes)
        lines.append(f"{part.name} on {whom} ({aim}), {when}")
    return lines
