"""The store against Patroni's own history and the nodes' spools. Pure."""

from saltroni.report import events

#: Clocks and the files' times may differ by this (seconds).
SAME_S = 60


def missing(lines, changes):
    """Lines of Patroni's history that no recorded change of the leader is about, as sentences.

    Args:
        lines: see :func:`saltroni.patroni.view.history`.
        changes: see :func:`saltroni.report.failovers.all_failovers`.
    """
    found = []
    for line in lines:
        at = events.moment(line.get("time"))
        # Patroni forgets times and leaders of timelines that ended before it came
        if at is None or not line.get("new_leader"):
            continue
        if not any(_same(line, at, change) for change in changes):
            found.append(f"timeline {line['timeline'] + 1}: {line['new_leader']} took over at {events.stamp(at)}")
    return found


def _same(line, at, change):
    if change["new_leader"] != line["new_leader"] or change["timeline"] not in (None, line["timeline"] + 1):
        return False
    return abs((events.moment(change["time"]) - at).total_seconds()) <= SAME_S


def verdict(log, lines, changes, spools):
    """What ``report.verify`` tells of one cluster.

    Args:
        log: see :meth:`saltroni.report.store.Store.read`.
        lines: Patroni's history; None where nobody could be asked.
        changes: see :func:`saltroni.report.failovers.all_failovers`.
        spools: ``{node: ids that wait}``; None for a node that didn't answer.
    """
    lost = None if lines is None else missing(lines, changes)
    waiting = {node: len(ids) for node, ids in sorted(spools.items()) if ids}
    return {
        "ok": not log.unreadable and lost == [] and not waiting and None not in spools.values(),
        "events": len(log.events),
        "first": log.events[0]["time"] if log.events else None,
        "last": log.events[-1]["time"] if log.events else None,
        "unreadable": [f"{file}:{number}" for file, number in log.unreadable],
        "torn": log.torn,
        "failovers": len(changes),
        "history": None if lines is None else len(lines),
        "not_recorded": lost,
        "waiting": waiting,
        "silent": sorted(node for node, ids in spools.items() if ids is None),
    }
