"""One fault several times in a row, and what came of all rounds together."""

from statistics import median

from saltroni.drill import course
from saltroni.drill.terms import Refused
from saltroni.wait import DeadlineError, NotYet, until

#: What is told of each round.
FIGURES = (
    "drill", "verdict", "reasons", "old_leader", "new_leader", "outage_s", "bound_s", "acknowledged", "lost", "unknown",
    "time_to_whole_s", "phases",
)  # fmt: skip


def spread(values):
    """``{least, median, most}`` of numbers; None where there are none. Pure."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"least": min(known), "median": round(median(known), 3), "most": max(known)}


def summary(rounds):
    """Figures of several rounds together. Pure.

    Args:
        rounds: results of drills, see :mod:`saltroni.drill.result`; a round that was broken off lacks figures.

    Returns:
        ``{rounds, outage_s, time_to_whole_s, bound_s, acknowledged, lost, unknown}``: the two times as ``{least, median,
        most}``, ``bound_s`` is the greatest in force, counts are sums.
    """
    unknown = [(one.get("unknown") or {}).get("present", 0) for one in rounds]
    return {
        "rounds": len(rounds),
        "outage_s": spread(one.get("outage_s") for one in rounds),
        "time_to_whole_s": spread(one.get("time_to_whole_s") for one in rounds),
        "bound_s": max((one["bound_s"] for one in rounds if one.get("bound_s") is not None), default=None),
        "acknowledged": sum(one.get("acknowledged") or 0 for one in rounds),
        "lost": sum(one.get("lost") or 0 for one in rounds),
        "unknown": sum(unknown),
    }


def brief(one):
    """What is told of one round in a list of them. Pure."""
    return {name: one[name] for name in FIGURES if name in one}


def run(model, options, outside, rounds=1):
    """Do ``rounds`` drills, each for itself; stop at the first that fails.

    Returns:
        with one round the drill's result; else ``{fault, what, verdict, reasons, asked, each, ...}`` with the figures of
        :func:`summary`. ``each`` has every round's, the whole of it is in the drill's folder.

    Raises:
        Refused: the first round was; a later one that is refused makes the verdict ``failed``.
    """
    if rounds == 1 or options.dry_run:
        return course.run(model, options, outside)
    done, reasons = [], []
    for number in range(1, rounds + 1):
        try:
            if done:
                _wait_for_whole(outside, options.whole_s)
            done.append(course.run(model, options, outside))
        except (Refused, DeadlineError) as err:
            if not done:
                raise
            reasons = [f"round {number}: {err}"]
            break
        if done[-1]["verdict"] != "passed":
            reasons = [f"round {number}: {reason}" for reason in done[-1]["reasons"]]
            break
    return {
        "fault": done[0]["fault"],
        "what": done[0]["what"],
        "verdict": "failed" if reasons else "passed",
        "reasons": reasons,
        "asked": rounds,
        **summary(done),
        "each": [brief(one) for one in done],
    }


def _wait_for_whole(outside, deadline_s):
    def looked():
        health = outside.health()
        if not health["whole"]:
            raise NotYet("; ".join(health["reasons"]))

    until(looked, "the cluster to be whole for the next round", deadline_s, every_s=1.0)
