"""Suites of drills, from the events that they sent. Pure.

A suite's event (``suite/finished``) has ``suite``, ``started``, ``verdict`` (``passed``, ``failed``, or ``stopped``: it
couldn't go on), ``reasons``, ``totals`` and, for each fault that was done, a row in ``faults``: ``fault``, ``rounds``,
``outage_s`` (the longest one), ``bound_s``, ``lost``, ``acknowledged``, ``verdict``. What is missing is no error.
"""

from saltroni.report import events, tidy

FINISHED = "suite/finished"
#: The latest so many are listed.
LISTED = 20
TOTALS = ("faults", "rounds", "skipped", "left", "acknowledged", "lost")
VERDICTS = ("passed", "failed", "stopped")


def all_suites(recorded):
    """Suites in the order in which they ended; one that went on later counts once, as it ended last."""
    ended = {}
    for event in recorded:
        if event["kind"] == FINISHED:
            suite = _suite(event)
            ended.pop(suite["suite"], None)
            ended[suite["suite"]] = suite
    return list(ended.values())


def _suite(event):
    data, started = event["data"], events.moment(event["data"].get("started"))
    totals = data["totals"] if isinstance(data.get("totals"), dict) else {}
    reasons = data["reasons"] if isinstance(data.get("reasons"), list) else []
    rows = data["faults"] if isinstance(data.get("faults"), list) else []
    faults = [_row(row) for row in rows if isinstance(row, dict)]
    return {
        "suite": str(data.get("suite") or event["id"]),
        "started": events.stamp(started) if started else None,
        "time": event["time"],
        "node": event["node"],
        "verdict": data["verdict"] if data.get("verdict") in VERDICTS else "stopped",
        "reasons": [str(reason) for reason in reasons],
        **{name: tidy.number(totals.get(name)) for name in TOTALS},
        "by_fault": faults,
        "worst": _worst(faults),
    }


def _row(row):
    numbers = ("rounds", "outage_s", "bound_s", "lost", "acknowledged")
    return {
        "fault": str(row.get("fault") or "unknown fault"),
        "verdict": str(row.get("verdict") or "stopped"),
        **{name: tidy.number(row.get(name)) for name in numbers},
    }


def _worst(faults):
    """The fault whose longest outage took most of what was promised, or None."""
    known = [row for row in faults if row["outage_s"] is not None and row["bound_s"]]
    return max(known, key=lambda row: row["outage_s"] / row["bound_s"], default=None)
