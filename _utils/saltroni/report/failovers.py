"""Changes of the leader: told by Patroni's callbacks, reconciled with Patroni's history, explained by drills and
switchovers. Pure.

Patroni's history has a line for each timeline that ended: the only proof of a promotion that no node can forget to tell.
A line's time is that of the new leader's history file, so the moment of its promotion.
"""

from saltroni.report import events, tidy, timed

TOLD, HISTORY, DRILL, SWITCHOVER = "role/changed", "timeline/ended", "drill/finished", "switchover/finished"
STARTED, STOPPED = "postgresql/started", "postgresql/stopped"
LEADING = ("primary", "master", "promoted")
#: A callback and a line of history within this time (seconds) are the same change.
SAME_S = 60
#: A drill ends, and is dated, this long after its change at most (seconds), a switchover's call this long; by clocks that
#: differ a little, before it.
DRILL_S, ASKED_S, EARLY_S = 900, 120, 10
#: An old leader that stopped longer ago than this (seconds) didn't begin this change.
STOPPED_S = 300


def all_failovers(recorded, drills, bounds):
    """Changes of the leader in the order of their times.

    Args:
        recorded: events in the order of their times.
        drills: see :func:`saltroni.report.drills.all_drills`.
        bounds: ``{fault: {bound_s}}`` that the settings promise.

    Returns:
        dicts with ``time``, ``timeline``, ``old_leader``, ``new_leader``, ``why`` (``drill``, ``switchover``, ``orderly`` or
        ``failover``), ``fault``, ``outage_s``, ``how`` (``measured``, ``reckoned``, ``assumed``, ``part`` or ``unknown``),
        ``bound_s``, ``lost``, ``source`` (``told``, ``confirmed``, ``reconciled`` or ``drill``).
    """
    of_drills = timed.Timed([(key, timed.seconds(one["time"]), one) for one in drills for key in _keys(one)])
    found = _with_drills(_matched(_told(recorded), _history(recorded)), drills)
    lives = list(_lives(recorded))
    ends = timed.Timed([(life["node"], timed.seconds(life["time"]), life) for life in lives if life["what"] != "led"])
    asked = timed.Timed(
        [
            (event["data"].get("new_leader"), timed.seconds(event["time"]), event)
            for event in recorded
            if event["kind"] == SWITCHOVER
        ]
    )
    worst = max((bound["bound_s"] for bound in bounds.values()), default=None)
    taken = set()
    before = next((life["node"] for life in lives if life["what"] == "led"), None)
    for change in found:
        change["old_leader"] = before if before != change["new_leader"] else None
        before = change["new_leader"]
        at = change.pop("at")
        _explain(change, at, of_drills, asked, taken)
        _reckon(change, at, ends, worst)
    return found


def _told(recorded):
    return [
        _change(event["time"], event["node"], None, "told")
        for event in recorded
        if event["kind"] == TOLD and event["data"].get("role") in LEADING
    ]


def _change(time, new_leader, timeline, source):
    """A change of the leader; ``at`` is its time in seconds since 1970, while changes are compared."""
    return {
        "time": time,
        "at": timed.seconds(time),
        "new_leader": new_leader,
        "timeline": timeline,
        "source": source,
    }


def _history(recorded):
    """Lines of Patroni's history, each once however many nodes tell it."""
    lines = {}
    for event in recorded:
        if event["kind"] != HISTORY:
            continue
        data = event["data"]
        timeline = tidy.number(data.get("timeline"))
        if not isinstance(timeline, int) or not isinstance(data.get("new_leader"), str):
            continue
        moment = events.moment(data.get("time"))
        time = events.stamp(moment) if moment else event["time"]
        key = timeline, str(data.get("lsn")), time
        if key not in lines:
            lines[key] = _change(time, data["new_leader"], timeline + 1, "reconciled")
    return sorted(lines.values(), key=lambda line: line["time"])


def _matched(told, history):
    """One change for a callback and the line of history that are the same."""
    waiting = timed.Timed([(one["new_leader"], one["at"], one) for one in told])
    same = set()
    for line in history:
        at = line["at"]
        near = [one for one in waiting.within(line["new_leader"], at - SAME_S, at + SAME_S) if id(one) not in same]
        if near:
            same.add(id(min(near, key=lambda one, at=at: abs(one["at"] - at))))
            line["source"] = "confirmed"
    return sorted([*history, *(one for one in told if id(one) not in same)], key=_place)


def _place(change):
    return change["time"], change["timeline"] or 0


def _with_drills(changes, drills):
    """The changes, and those that only a drill saw: its events came before the others', or those were lost."""
    known = timed.Timed([(change["new_leader"], change["at"], change) for change in changes])
    found = list(changes)
    for drill in drills:
        if not drill["new_leader"] or drill["new_leader"] == drill["old_leader"]:
            continue
        at = timed.seconds(drill["time"])
        near = known.within(drill["new_leader"], at - DRILL_S, at + EARLY_S)
        if any(_may_be(change, drill) for change in near):
            continue
        found.append(_change(drill["time"], drill["new_leader"], drill["timeline_after"], "drill"))
    return sorted(found, key=_place)


def _may_be(change, drill):
    """Whether a change near a drill to the same leader may be the drill's: it is on a timeline that the drill began."""
    before, after = drill["timeline_before"], drill["timeline_after"]
    if after and before == after:
        return False  # it ended no timeline
    if not change["timeline"] or not after:
        return True
    return change["timeline"] == after or bool(before and before < change["timeline"] < after)


def _keys(drill):
    """By what a drill is found: who led in the end, and each timeline between, which may have been another's."""
    keys = [drill["new_leader"]] if drill["new_leader"] else []
    if _began_several(drill):
        first, last = drill["timeline_before"] + 1, drill["timeline_after"]
        keys += [_on(timeline) for timeline in range(first, min(last, first + 10))]
    return keys


def _on(timeline):
    return f"timeline {timeline}"


def _began_several(drill):
    before, after = drill["timeline_before"], drill["timeline_after"]
    return isinstance(before, int) and isinstance(after, int) and after - before > 1


def _lives(recorded):
    """What members told of themselves: ``{time, node, what}``, ``what`` being led, followed or stopped."""
    for event in recorded:
        if event["kind"] in (TOLD, STARTED):
            what = "led" if event["data"].get("role") in LEADING else "followed"
        elif event["kind"] == STOPPED:
            what = "stopped"
        else:
            continue
        yield {"time": event["time"], "node": event["node"], "what": what}


def _explain(change, at, drills, switchovers, taken):
    change.update(why="failover", fault=None, lost=None, measured_s=None, promised_s=None)
    near = drills.within(change["new_leader"], at - EARLY_S, at + DRILL_S)
    near += drills.within(_on(change["timeline"]), at - EARLY_S, at + DRILL_S)
    for drill in sorted(near, key=lambda one: one["time"]):
        if not _may_be(change, drill):
            continue
        if drill["id"] in taken:
            if not _began_several(drill):
                continue
            # a leader that is killed twice: both are one outage
            change.update(why="drill", fault=drill["fault"], drill=drill["id"], part=True)
            return
        taken.add(drill["id"])
        change.update(why="drill", fault=drill["fault"], lost=drill["lost"], measured_s=drill["outage_s"])
        change.update(promised_s=drill["bound_s"], drill=drill["id"])
        change["old_leader"] = drill["old_leader"] or change["old_leader"]
        return
    for event in switchovers.within(change["new_leader"], at - EARLY_S, at + ASKED_S):
        if event["id"] in taken:
            continue
        taken.add(event["id"])
        change["why"] = "switchover"
        old = event["data"].get("old_leader")
        change["old_leader"] = old if isinstance(old, str) else change["old_leader"]
        return


def _reckon(change, at, ends, worst):
    """The outage: measured, reckoned from the old leader's stop, or assumed to be what is promised."""
    measured, promised = change.pop("measured_s"), change.pop("promised_s")
    change.update(outage_s=measured, how="measured", bound_s=promised)
    if measured is not None:
        return
    if change.pop("part", False):
        change["how"] = "part"
        return
    change["bound_s"] = worst
    ended = ends.within(change["old_leader"], at - STOPPED_S, at)
    if ended:
        if change["why"] == "failover":
            change["why"] = "orderly"
        change["how"] = "reckoned"
        change["outage_s"] = round(at - timed.seconds(ended[0]["time"]), 2)
    elif worst is not None:
        change.update(how="assumed", outage_s=worst)
    else:
        change["how"] = "unknown"


def leaders(recorded, failovers, now):
    """Who led when: ``[{leader, begin, end}]`` up to the latest event.

    Args:
        now: an event's time at which the last one still leads.
    """
    first = next((life for life in _lives(recorded) if life["what"] == "led"), None)
    begins = [{"leader": first["node"], "begin": first["time"]}] if first else []
    if not begins and failovers and failovers[0]["old_leader"]:
        begins = [{"leader": failovers[0]["old_leader"], "begin": recorded[0]["time"]}]
    begins += [{"leader": change["new_leader"], "begin": change["time"]} for change in failovers]
    spans = []
    for begin in sorted(begins, key=lambda span: span["begin"]):
        if spans and spans[-1]["leader"] == begin["leader"]:
            continue
        if spans:
            spans[-1]["end"] = begin["begin"]
        spans.append(begin)
    if spans:
        spans[-1]["end"] = max(now, spans[-1]["begin"])
    return spans
