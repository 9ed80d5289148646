"""Whom a fault strikes, by the cluster as it is at that moment. Pure.

The node that does the drill (``observer``) is never struck by what takes a whole node away: it has to tell the tale.
Nor is the master, by whom the drill reaches other nodes.
"""


class NoAim(ValueError):
    """Nobody fits; the text says why."""


def _replicas(seen):
    return [name for name in seen["members"] if name != seen["leader"]]


def _sync(seen):
    return [name for name in _replicas(seen) if seen["members"][name].get("role") in ("sync_standby", "quorum_standby")]


def _struck(model, seen):
    spared = {seen["observer"], *model["by_role"]["master"]}
    return [name for name in model["nodes"] if name not in spared]


def _most(names, last):
    """So many that those left are no majority; ``last`` is spared longest."""
    ordered = [name for name in names if name != last] + [last]
    return ordered[: len(names) - len(names) // 2]


AIMS = {
    "leader": lambda model, seen: [seen["leader"]],
    "new leader": lambda model, seen: [seen["leader"]],
    "a replica": lambda model, seen: _replicas(seen)[:1],
    "all replicas": lambda model, seen: _replicas(seen),
    "a sync standby": lambda model, seen: _sync(seen)[:1],
    "all PostgreSQL nodes": lambda model, seen: model["by_role"]["patroni"],
    "an etcd follower": lambda model, seen: [n for n in model["by_role"]["etcd"] if n != seen["etcd_leader"]][:1],
    "the etcd leader": lambda model, seen: [seen["etcd_leader"]] if seen["etcd_leader"] else [],
    "most of etcd": lambda model, seen: _most(
        model["by_role"]["etcd"], seen["etcd_leader"] or model["by_role"]["etcd"][-1]
    ),
    "all of etcd": lambda model, seen: model["by_role"]["etcd"],
    "the load balancer": lambda model, seen: [seen["balancer"]],
    "all nodes but the observer": _struck,
    "all nodes": lambda model, seen: list(model["nodes"]),
}


def nodes(aim, model, seen, takes_node=False):
    """The nodes that ``aim`` names.

    Args:
        aim: one of :data:`AIMS`.
        takes_node: whether the fault takes the whole node away, not just a program on it.
        model: the pillar's ``saltroni``.
        seen: ``{leader, members: {name: {role}}, etcd_leader, balancer, observer}``.

    Raises:
        NoAim: nobody, or the observer itself.
    """
    found = list(AIMS[aim](model, seen))
    if not found or None in found:
        raise NoAim(f"the fault strikes {aim}, and there is none here now")
    if takes_node and seen["observer"] in found:
        hit = [name for name in model["nodes"] if name not in found and name not in model["by_role"]["master"]]
        raise NoAim(
            f"the fault strikes {aim}, and this node, {seen['observer']}, is one of them: "
            f"call the drill on another node, for example {hit[0] if hit else 'one with role haproxy'}"
        )
    return found
