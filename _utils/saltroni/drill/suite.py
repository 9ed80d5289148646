"""Many faults in turn, each some rounds, until one breaks a promise. What was done is kept, so that it can go on later.

The suite's state is a dict, kept as one JSON file after every step::

    {suite, cluster, started, updated, asked: {faults, rounds, node}, verdict, reasons, done: {fault: {...}}, running}

``verdict`` is None while it isn't over, then ``passed``, ``failed`` (a promise was broken: never taken back, also when the
suite goes on) or ``stopped`` (it couldn't go on; no promise was broken). ``done`` has a fault when all its rounds are
over, or when it can't be made here: ``{"skipped": why}``. ``running`` is the job that was begun last and whose answer
isn't known yet: a suite that was killed takes it up again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from saltroni.drill import errand, rounds
from saltroni.drill.table import line
from saltroni.wait import DeadlineError, NotYet, until

#: How long a drill may take beside what its fault lasts and may cost (seconds): the waits of :class:`terms.Options`.
DRILL_S = 400.0
WHOLE_S = 300.0
ASK_S = 90.0


class Stopped(RuntimeError):
    """The suite can't go on; no promise was broken."""


@dataclass(frozen=True)
class Hands:
    """What a suite does with the world."""

    begin: Callable  # (node, function, kwargs) -> the job's id
    await_: Callable  # (node, job, what, deadline_s) -> its answer; raises errand.Lost
    keep: Callable  # (state) -> None: durable when it returns
    show: Callable  # (line) -> None
    now: Callable  # () -> UTC, ISO 8601
    clock: Callable = time.monotonic
    sleep: Callable = time.sleep


def chosen(known, faults="all", exclude=()):
    """The faults of a suite, in the catalogue's order for ``all``, else as they were named. Pure.

    Args:
        known: names there are.
        faults: ``all``, or names as a list or separated by commas.
        exclude: names to leave out, the same way.

    Raises:
        ValueError: a name that isn't known.
    """
    wanted, left_out = names(faults), names(exclude)
    picked = list(known) if wanted == ["all"] else list(dict.fromkeys(wanted))
    strange = [name for name in picked + left_out if name not in known]
    if strange:
        raise ValueError(f"no fault is called {', '.join(strange)}: there are {', '.join(known)}")
    picked = [name for name in picked if name not in left_out]
    if not picked:
        raise ValueError("no fault is left to do")
    return picked


def names(text):
    """Names in a list or separated by commas. Pure."""
    parts = text.split(",") if isinstance(text, str) else list(text or ())
    return [str(part).strip() for part in parts if str(part).strip()]


def new(suite, cluster, faults, count, node, started):
    """The state of a suite that begins. Pure."""
    return {
        "suite": suite,
        "cluster": cluster,
        "started": started,
        "updated": started,
        "asked": {"faults": faults, "rounds": count, "node": node},
        "verdict": None,
        "reasons": [],
        "done": {},
        "running": None,
    }


def observers(model, node=None):
    """Nodes that may do a drill, in the order in which they are tried: load balancers, unless ``node`` is named. Pure."""
    if node:
        return [node]
    return list(model["by_role"]["haproxy"]) or [n for n in model["nodes"] if n not in model["by_role"]["master"]]


def run(state, model, hands, until_clock=None):
    """Do what is left of a suite.

    Args:
        state: see :func:`new`; it is changed.
        model: the cluster's, without secrets.
        hands: :class:`Hands`.
        until_clock: no fault begins when ``hands.clock()`` is past this.

    Returns:
        ``state``, with its verdict.
    """
    begun = hands.clock()
    if state["verdict"] != "failed":
        state["verdict"], state["reasons"] = None, []
    try:
        for fault in state["asked"]["faults"]:
            if fault in state["done"]:
                continue
            if until_clock is not None and hands.clock() > until_clock and not state["running"]:
                raise Stopped("its time was over before all faults were done")
            row = _fault(state, model, hands, fault)
            _kept(state, hands)
            hands.show(line(fault, row, hands.clock() - begun))
            if row.get("verdict") == "failed":
                state["verdict"] = "failed"
                state["reasons"] = state["reasons"] + [f"{fault}: {reason}" for reason in row["reasons"]]
                break
        else:
            state["verdict"] = state["verdict"] or "passed"
    except (Stopped, errand.Lost, DeadlineError) as err:
        state["verdict"] = state["verdict"] or "stopped"
        state["reasons"] = [*state["reasons"], str(err)]
    _kept(state, hands)
    return state


def _kept(state, hands):
    state["updated"] = hands.now()
    hands.keep(state)


def _fault(state, model, hands, fault):
    """All rounds of one fault; returns its row in ``done``."""
    begun = hands.clock()
    going = state["running"] if state["running"] and state["running"]["fault"] == fault else None
    if going is None:
        going = _begin(state, model, hands, fault)
        if "skipped" in going:
            state["running"] = None
            state["done"][fault] = going
            return going
    elif going["job"] is None:
        _whole(hands, going["node"])
    while True:
        result = _round(state, hands, going)
        going["rounds"].append(rounds.brief(result))
        failed = result["verdict"] != "passed"
        if failed or len(going["rounds"]) >= state["asked"]["rounds"]:
            break
        _whole(hands, going["node"])
    row = {
        "node": going["node"],
        "verdict": "failed" if failed else "passed",
        "reasons": result["reasons"] if failed else [],
        "took_s": round(hands.clock() - begun, 1),
        **rounds.summary(going["rounds"]),
        "each": going["rounds"],
    }
    state["running"] = None
    state["done"][fault] = row
    return row


def _begin(state, model, hands, fault):
    """A node that can do the drill, or why none can."""
    reasons = []
    for node in observers(model, state["asked"]["node"]):
        _whole(hands, node)
        said = _ask(hands, node, "patroni.failover_test", {"fault": fault, "dry_run": True})
        if not isinstance(said, dict):
            raise Stopped(f"{fault} on {node}: {said}")
        if said["able"]:
            going = {"fault": fault, "node": node, "job": None, "rounds": []}
            state["running"] = {**going, "deadline_s": DRILL_S + 2 * (said["lasts_s"] + said["bound_s"])}
            return state["running"]
        reasons += [reason for reason in said["reasons"] if reason not in reasons]
    return {"skipped": "; ".join(reasons)}


def _round(state, hands, going):
    """One drill; returns its result."""
    what = f"the drill {going['fault']} on {going['node']}"
    if going["job"] is None:
        going["job"] = hands.begin(going["node"], "patroni.failover_test", {"fault": going["fault"]})
        _kept(state, hands)
    job, going["job"] = going["job"], None
    # kept with the job until its answer is known: who resumes asks for the same one
    said = hands.await_(going["node"], job, what, going["deadline_s"])
    if not isinstance(said, dict) or "verdict" not in said:
        raise Stopped(f"{what}: {said}")
    return said


def _ask(hands, node, function, arguments):
    return hands.await_(node, hands.begin(node, function, arguments), f"{function} on {node}", ASK_S)


def _whole(hands, node):
    """Wait until the cluster is whole and no drill runs, as ``node`` sees it."""

    def looked():
        said = _ask(hands, node, "patroni.drill_ready", {})
        if not isinstance(said, dict):
            raise NotYet(str(said))
        if said["drill"]:
            raise NotYet(f"a drill runs: {said['drill']}")
        if not said["whole"]:
            raise NotYet("; ".join(said["reasons"]))

    until(looked, "the cluster to be whole", WHOLE_S, every_s=2.0, clock=hands.clock, sleep=hands.sleep)
