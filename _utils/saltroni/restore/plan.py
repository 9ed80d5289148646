"""What a whole-cluster restore will do, or why it can't be done. Pure.

Nothing is changed before a plan stands: whatever can be known beforehand is refused here.
"""

from saltroni.backup import copy, target

#: In their order; ``orch.restore`` has one state for each, ``docs/backups.md`` says what they do.
STEPS = (
    "mark", "seal", "fetch", "recover", "stop", "push", "promote", "swap", "hand_over", "lead", "accounts", "backup",
    "replicas", "check", "finish",
)  # fmt: skip
#: From here on the cluster is down until ``lead`` is done.
DOWN = "stop"
#: What a person may say beside the target.
OPTIONS = {
    "node": "who shall lead; the present leader without it",
    "keep": "all, or leader: only the leader's old data are kept until restore.forget, the replicas' are removed",
    "replace": "true: this cluster's database gives way to another one's, that the archive has",
    "source": "a folder on that node with the files of another cluster's archive",
    "without": "members that are gone: they take no part, and must be reinitialised when they come back",
    "backup": "false: no base backup at the end; replicas are then copied from the leader",
    "after": "for a name or a transaction: a time that is surely earlier",
}
TARGETS = (*target.KINDS, "inclusive", "timeline")
KEEP_ALL, KEEP_LEADER = "all", "leader"


class Refused(RuntimeError):
    """It can't be done; :attr:`reasons` say why, and nothing was changed."""

    def __init__(self, reasons):
        self.reasons = list(reasons)
        super().__init__("; ".join(self.reasons))


def options(asked):
    """What was asked beside the target, checked.

    Raises:
        Refused: something that isn't known.
    """
    strange = [name for name in asked if name not in OPTIONS and name not in TARGETS and name != "cluster"]
    if strange:
        known = ", ".join([*TARGETS, *OPTIONS])
        raise Refused([f"{', '.join(strange)} isn't known: there are {known}"])
    without = asked.get("without") or []
    made = {
        "node": asked.get("node") or None,
        "keep": asked.get("keep") or KEEP_ALL,
        "replace": asked.get("replace") is True,
        "source": asked.get("source") or None,
        "without": without.split(",") if isinstance(without, str) else list(without),
        "backup": asked.get("backup") is not False,
        "after": str(asked["after"]) if asked.get("after") else None,
    }
    if made["keep"] not in (KEEP_ALL, KEEP_LEADER):
        raise Refused([f"keep is {made['keep']!r}: all or leader"])
    return made


def members(model, chosen):
    """PostgreSQL's nodes that take part.

    Raises:
        Refused: a node that isn't known.
    """
    known = list(model["by_role"]["patroni"])
    strange = [name for name in [*chosen["without"], chosen["node"]] if name and name not in known]
    if strange:
        raise Refused(
            [f"{', '.join(strange)} is no PostgreSQL node of {model['cluster']}: there are {', '.join(known)}"]
        )
    taking_part = [name for name in known if name not in chosen["without"]]
    if not taking_part or (chosen["node"] and chosen["node"] not in taking_part):
        raise Refused(["nobody is left to lead"])
    return taking_part


def leader_to_be(names, chosen, cluster, facts):
    """Who will lead: who was named, or leads, or else the one with the most free space."""
    if chosen["node"]:
        return chosen["node"]
    leader = (cluster or {}).get("leader")
    if leader in names:
        return leader
    return max(sorted(names), key=lambda name: facts[name].get("free_bytes") or 0)


def make(model, identity, asked, chosen, cluster, facts, survey):
    """The plan.

    Args:
        model: the cluster's, without secrets.
        identity: the restore's id.
        asked: a :class:`saltroni.backup.target.Target`.
        chosen: see :func:`options`.
        cluster: Patroni's view (:func:`saltroni.patroni.view.table`), None if no member answers.
        facts: ``{node: dict}``, see :meth:`saltroni.restore.node.Node.look`; ``{"error": why}`` of one that is silent.
        survey: see :meth:`saltroni.restore.node.Node.survey`.

    Returns:
        a dict that JSON knows, see :func:`lines`.

    Raises:
        Refused: with every reason that was found.
    """
    names = members(model, chosen)
    reasons = [
        f"{name} doesn't answer ({facts[name]['error']}): without={name} leaves it out"
        for name in names
        if "error" in facts[name]
    ]
    if reasons:
        raise Refused(reasons)
    node = leader_to_be(names, chosen, cluster, facts)
    reasons = list(survey["reasons"])
    backup = survey.get("backup") or {}
    reasons += _left_over(names, facts)
    if cluster and cluster["paused"]:
        reasons.append("the cluster is paused: patroni.resume first")
    reasons += _identity(names, facts, chosen, survey, backup)
    reasons += _space(names, node, facts, chosen, backup)
    if asked.timeline is None and not survey["reasons"]:
        reasons += _not_archived(facts, names, cluster, survey, chosen)
    if reasons:
        raise Refused(reasons)
    return {
        "restore": identity,
        "cluster": model["cluster"],
        "target": asked.row(),
        "words": asked.words(),
        "latest": asked.kind == target.LATEST,
        "leader": node,
        "replicas": [name for name in names if name != node],
        "without": chosen["without"],
        "was_leader": (cluster or {}).get("leader"),
        "backup": backup["id"],
        "backup_finished": backup["finished"],
        "kind": backup["kind"],
        "size": backup.get("size"),
        "timeline": survey["timeline"],
        "system_id": str(backup["system_id"]) if backup.get("system_id") else None,
        "keep": chosen["keep"],
        "source": chosen["source"],
        "new_backup": chosen["backup"],
        "foreign": _others(names, facts, survey, backup) != [],
        "windows": survey["windows"],
        "prefix": survey["prefix"],
    }


def _left_over(names, facts):
    found = []
    for name in names:
        if facts[name].get("busy"):
            found.append(f"a restore works on {name} already")
        elif facts[name].get("held"):
            found.append(f"Patroni of {name} is kept from starting by another restore: restore.show tells which")
    return found


def _system(survey, backup):
    """The system identifier of what is restored; empty if nobody knows."""
    return str(backup.get("system_id") or (survey.get("owner") or {}).get("system_identifier") or "")


def _others(names, facts, survey, backup):
    """System identifiers of members whose data are of another database than what is restored."""
    present = {(facts[name].get("control") or {}).get("system_id") for name in names} - {None}
    return sorted(one for one in present if one != _system(survey, backup)) if _system(survey, backup) else []


def _identity(names, facts, chosen, survey, backup):
    """Whose database is restored into which."""
    found = []
    system, others = _system(survey, backup), _others(names, facts, survey, backup)
    if others and not (chosen["replace"] or chosen["source"]):
        found.append(
            f"the archive is of database {system}, this cluster has {', '.join(others)}: replace=true gives that one up"
        )
    own = survey.get("own_owner") or {}
    if chosen["source"] and own and system and str(own.get("system_identifier")) != system:
        found.append(
            f"this cluster's own archive belongs to database {own.get('system_identifier')} already, and can't take {system}: "
            "give it another bucket (saltroni:backup:storage:bucket), state.apply, and try again"
        )
    return found


def _space(names, node, facts, chosen, backup):
    size = backup.get("size") or 0
    found = []
    for name in names:
        said = facts[name]
        free = said.get("free_bytes") or 0
        if name != node and chosen["keep"] == KEEP_LEADER:
            free += said.get("data_bytes") or 0
        needed = copy.needed_bytes(size)
        if free < needed:
            hint = (
                " (keep=leader removes the replicas' old data)" if name != node and chosen["keep"] == KEEP_ALL else ""
            )
            found.append(
                f"{name} needs {_gib(needed)} of free space beside its present data, it has {_gib(free)}{hint}"
            )
        if said.get("wal_free_bytes") is not None and said["wal_free_bytes"] < copy.WAL_BYTES:
            found.append(f"{name} needs {_gib(copy.WAL_BYTES)} for WAL, it has {_gib(said['wal_free_bytes'])}")
    return found


def _not_archived(facts, names, cluster, survey, chosen):
    """A timeline that the cluster is on and the archive has never heard of: the newest past there is would be missed."""
    if chosen["source"] or chosen["replace"]:
        return []
    rows = (cluster or {}).get("members", {})
    seen = [row["timeline"] for row in rows.values() if isinstance(row.get("timeline"), int)]
    seen += [facts[name]["control"]["timeline"] for name in names if (facts[name].get("control") or {}).get("timeline")]
    if seen and max(seen) > survey["highest"]:
        return [
            f"the cluster is on timeline {max(seen)}, the archive knows only {survey['highest']}: see walg.health, or say "
            f"timeline={survey['highest']}"
        ]
    return []


def _gib(size):
    return f"{size / 2**30:.1f} GiB"


def lines(plan):
    """A plan as a person reads it, with the recovery window. Pure."""
    shown = [f"restore {plan['restore']} of cluster {plan['cluster']} to {plan['words']}"]
    for window in plan["windows"]:
        until = window["until"] or "now, but for what waits to be archived"
        which = "" if window["present"] else ", which was left"
        shown.append(f"  can be restored on timeline {window['timeline']}{which}: {window['from']} to {until}")
        shown += [
            f"    not from {gap['start']} to {gap['end'] or 'now'}: {gap['first']} is missing" for gap in window["gaps"]
        ]
    shown.append(
        f"  from {plan['kind']} backup {plan['backup']} (ended {plan['backup_finished']}), along timeline {plan['timeline']}, "
        f"out of {plan['source'] or plan['prefix']}"
    )
    aside = "all old data are" if plan["keep"] == KEEP_ALL else "the leader's old data are"
    shown.append(f"  {plan['leader']} will lead; {', '.join(plan['replicas']) or 'nobody'} will be copied from it")
    shown.append(f"  {aside} kept beside the new ones until restore.forget; restore.back brings them back until then")
    if plan["without"]:
        shown.append(
            f"  without {', '.join(plan['without'])}: keep Patroni from starting there, reinitialise it afterwards"
        )
    return shown


def former_leader(stopped, preferred=None):
    """Who led before, by what the stopped members' data say: the one that was ahead of all. Pure.

    Args:
        stopped: ``{node: control or None}``.
        preferred: who is believed to have led: taken if nobody was ahead of it.
    """
    ends = {name: tuple(found["end"]) for name, found in stopped.items() if found and "end" in found}
    if not ends:
        return None
    best = max(ends.values())
    # a leader that stopped in order wrote the last checkpoint; replicas that saw it are no less good
    if preferred in ends and ends[preferred] == best:
        return preferred
    leaders = [name for name, end in ends.items() if end == best and stopped[name]["state"] == "shut down"]
    return min(leaders or [name for name, end in ends.items() if end == best])
