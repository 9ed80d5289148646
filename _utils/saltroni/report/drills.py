"""Drills, from the events that they sent. Pure.

Whatever is missing in an event is missing in the result, and no error.
"""

import hashlib
from datetime import timedelta
from statistics import median

from saltroni.report import events, tidy

#: The latest so many are told in full.
SHOWN = 8
STARTED, FINISHED = "drill/started", "drill/finished"
#: A drill that began and hasn't ended after this long (seconds) was cut off.
SILENT_S = 900

#: What happens after a fault; each is a phrase, too.
PHASES = (
    "leader_key_gone_s", "new_leader_s", "promoted_s", "balancer_up_s", "first_commit_s", "old_leader_rejoined_s",
)  # fmt: skip


def all_drills(recorded):
    """Drills that ended, in the order of their times."""
    return [_drill(event) for event in recorded if event["kind"] == FINISHED]


def unfinished(recorded, now):
    """Drills that began, haven't ended, and are overdue.

    Args:
        now: an aware datetime.
    """
    ended = {_identity(event) for event in recorded if event["kind"] == FINISHED}
    late = events.stamp(now - timedelta(seconds=SILENT_S))
    return [
        {"time": event["time"], "node": event["node"], "fault": str(event["data"].get("fault") or "unknown fault")}
        for event in recorded
        if event["kind"] == STARTED and _identity(event) not in ended and event["time"] < late
    ]


def _identity(event):
    return str(event["data"].get("drill") or event["id"])


def _short(event):
    return hashlib.sha256(_identity(event).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _drill(event):
    data = event["data"]
    numbers = (
        "outage_s", "bound_s", "outage_of_all_s", "time_to_whole_s", "acknowledged", "lost", "duplicated", "damaged",
        "refused", "refused_but_present", "writers", "commits_per_s", "timeline_before", "timeline_after",
    )  # fmt: skip
    words = ("what", "old_leader", "new_leader", "load_balancer")
    phases, terms = _dict(data, "phases"), _dict(data, "bound_terms_s")
    short = _short(event)
    return {
        **{name: tidy.number(data.get(name)) for name in numbers},
        **{name: str(data[name]) if data.get(name) else None for name in words},
        "fault": str(data.get("fault") or "unknown fault"),
        "id": _identity(event),
        "picture": f"drill-{short}",
        "lag_picture": f"lag-{short}",
        "time": event["time"],
        "node": event["node"],
        "passed": data.get("verdict") == "passed",
        "broken_off": data.get("broken_off") is True,
        "reasons": [str(reason) for reason in _list(data, "reasons")],
        "lost_rows": [str(row) for row in _list(data, "lost_rows")],
        "unknown": _pair(data, "unknown"),
        "undurable": _pair(data, "undurable"),
        "phases": [(name, tidy.number(phases[name])) for name in PHASES if name in phases],
        "lag": _lag(data.get("lag")),
        "terms": [(str(name), tidy.number(value)) for name, value in terms.items()],
        "errors": [(str(text), tidy.number(times)) for text, times in _dict(data, "errors").items()],
        "replication": _dict(data, "settings").get("replication"),
    }


def _lag(samples):
    """Replication lag around the fault: ``[(seconds, {member: bytes})]``; what isn't such a sample is left out."""
    found = []
    for sample in samples if isinstance(samples, list) else []:
        if not isinstance(sample, list) or len(sample) != 2 or not isinstance(sample[1], dict):
            continue
        at = tidy.number(sample[0])
        lags = {str(name): tidy.number(value) for name, value in sample[1].items()}
        if at is not None:
            found.append((at, {name: value for name, value in lags.items() if value is not None}))
    return sorted(found, key=lambda sample: sample[0])


def _dict(data, name):
    return data[name] if isinstance(data.get(name), dict) else {}


def _list(data, name):
    return data[name] if isinstance(data.get(name), list) else []


def _pair(data, name):
    found = _dict(data, name)
    return {key: tidy.number(found.get(key)) for key in ("present", "absent")} if found else None


def by_fault(drills):
    """For each fault: how often, how often passed, and the least, median and greatest outage against the bound.

    Returns:
        list of ``{fault, replication, drills, passed, least, median, greatest, bounds, lost, acknowledged}``
    """
    return _grouped(drills, lambda drill: (drill["fault"],))


def by_settings(drills):
    """The same for each fault and what was in force: the replication, and what was promised by it and by the timings."""
    return _grouped(drills, lambda drill: (drill["fault"], str(drill["replication"] or ""), drill["bound_s"] or 0.0))


def _grouped(drills, key):
    found = {}
    for drill in drills:
        found.setdefault(key(drill), []).append(drill)
    rows = []
    for _, members in sorted(found.items()):
        outages = [drill["outage_s"] for drill in members if drill["outage_s"] is not None]
        rows.append(
            {
                "fault": members[0]["fault"],
                "replication": members[0]["replication"],
                "drills": len(members),
                "passed": sum(drill["passed"] for drill in members),
                "least": min(outages, default=None),
                "median": median(outages) if outages else None,
                "greatest": max(outages, default=None),
                "bounds": sorted({drill["bound_s"] for drill in members if drill["bound_s"] is not None}),
                "lost": sum(drill["lost"] or 0 for drill in members),
                "acknowledged": sum(drill["acknowledged"] or 0 for drill in members),
            }
        )
    return rows
