"""How much of the time writes were possible, reckoned from outages. Pure."""

from datetime import timedelta

from saltroni.report import events

WINDOWS = (("last_24h", timedelta(hours=24)), ("last_7d", timedelta(days=7)), ("last_30d", timedelta(days=30)))


def outages(failovers, drills):
    """``[{time, seconds, how, drill}]``: of each change of the leader, and of drills that changed none."""
    found = [
        {"time": change["time"], "seconds": change["outage_s"], "how": change["how"], "drill": change["why"] == "drill"}
        for change in failovers
        if change["outage_s"] is not None
    ]
    known = {change.get("drill") for change in failovers}
    found += [
        {"time": drill["time"], "seconds": drill["outage_s"], "how": "measured", "drill": True}
        for drill in drills
        if drill["outage_s"] is not None and drill["id"] not in known
    ]
    return sorted(found, key=lambda outage: outage["time"])


def windows(found, begin, now):
    """For each of :data:`WINDOWS`: how long it was watched, the outages in it, and the share of time without one.

    Args:
        found: see :func:`outages`.
        begin: since when the cluster is watched, an event's time; None for not at all.
        now: an aware datetime.
    """
    rows, end = [], events.stamp(now)
    for name, length in WINDOWS:
        if begin is None:
            break
        since = max(events.stamp(now - length), begin)
        watched_s = (now - events.moment(since)).total_seconds()
        if watched_s <= 0:
            break
        inside = [outage for outage in found if since <= outage["time"] <= end]
        lost_s = min(watched_s, sum(outage["seconds"] for outage in inside))
        rows.append(
            {
                "window": name,
                "watched_s": watched_s,
                "outages": len(inside),
                "drills": sum(outage["drill"] for outage in inside),
                "assumed": sum(outage["how"] == "assumed" for outage in inside),
                "outage_s": round(lost_s, 2),
                "available": 1 - lost_s / watched_s,
            }
        )
    return rows
