"""Many drills in turn, by hand or on a schedule. One drill alone: ``salt NODE patroni.failover_test``.

A suite's state is kept in ``/var/lib/saltroni/<cluster>/suites/``. Progress goes to the error output at once, so that the
answer itself can be read by a program (``--out=json``).
"""

import sys
import time
import uuid

import saltroni.clusters
import saltroni.drill.course
import saltroni.drill.errand
import saltroni.drill.schedule
import saltroni.drill.shelf
import saltroni.drill.suite
import saltroni.drill.table
import saltroni.faults
import saltroni.minions

REFUSED = 2
ERRORS = (
    OSError,
    ValueError,
    saltroni.drill.errand.Lost,
    saltroni.drill.shelf.ShelfError,
    saltroni.drill.suite.Stopped,
)


def suite(faults="all", rounds=1, node=None, exclude="", resume=False, cluster=None):
    """Do many faults in turn, each some rounds, and stop at the first that breaks a promise.

    faults
        names as ``patroni.drills`` lists them, separated by commas, or ``all``
    rounds
        drills for each fault
    node
        who does the drills; a load balancer that isn't struck without it
    exclude
        names to leave out, separated by commas
    resume
        go on with the suite that was begun last, after the last fault that is done; all else is as it was asked then
    cluster
        its name, needed where there are several

    A line for each fault is printed while it runs. Faults that can't be made here are listed as skipped, with the
    reason. A suite that was killed takes its running drill up again when it is resumed.

    Returns ``{suite, verdict, reasons, table, totals, file}``. ``verdict`` is ``passed``, ``failed`` (a promise was
    broken; going on later doesn't change that), ``stopped`` (it couldn't go on) or ``refused``.

    The exit code is 0 for ``passed``, 1 for ``failed`` and ``stopped``, 2 for ``refused``.

    CLI Example:

    .. code-block:: bash

        salt-run drill.suite
        salt-run drill.suite faults=postmaster_killed,patroni_frozen rounds=3
        salt-run drill.suite exclude=everything_power_lost
        salt-run drill.suite resume=True
    """
    try:
        model = saltroni.clusters.one(cluster, _folder())
        shelf = _shelf(model)
        with shelf.alone():
            state = shelf.unfinished() if resume else _new(model, faults, int(rounds), node, exclude)
            return _done(state, model, shelf)
    except ERRORS as err:
        return _refused([str(err)])


def schedule(cluster=None):
    """When drills are done by themselves, how the last ones ended, and whether they would be refused now.

    The schedule is set in ``pillar/cluster.sls`` (``saltroni:drills:schedule``) and put into force by ``state.apply`` on
    the master. Without a ``calendar`` there is none.

    cluster
        its name, needed where there are several

    Returns ``{schedule, active, next, last, last_suite, refused_now}``, times UTC.

    CLI Example:

    .. code-block:: bash

        salt-run drill.schedule
    """
    try:
        model = saltroni.clusters.one(cluster, _folder())
        shelf = _shelf(model)
        latest = shelf.latest()
        told = {"schedule": model["drills"]["schedule"], **saltroni.drill.schedule.timer(model["cluster"])}
        return {**told, "last_suite": latest and _brief(latest, shelf), "refused_now": _refusal(model)}
    except ERRORS as err:
        return _refused([str(err)])


def window(cluster=None):
    """Do the drills of the schedule now: what the timer calls.

    Refused when drills aren't allowed, the cluster isn't whole or is paused, or a drill or a backup runs: event
    ``drill/refused`` says so. When the window is over no further fault is begun; the next window goes
    on with those that are left.

    cluster
        its name, needed where there are several

    Returns and exit code: see :func:`suite`.

    CLI Example:

    .. code-block:: bash

        salt-run drill.window
    """
    try:
        model = saltroni.clusters.one(cluster, _folder())
        wanted = model["drills"]["schedule"]
        shelf = _shelf(model)
        with shelf.alone():
            reasons = _refusal(model)
            if reasons:
                _tell(model, "drill/refused", {"id": str(uuid.uuid4()), "reasons": reasons})
                return _refused(reasons)
            state = shelf.latest()
            if not saltroni.drill.schedule.resumable(state):
                state = _new(model, wanted["faults"] or "all", wanted["rounds"], None, "")
                state["scheduled"] = True
            return _done(state, model, shelf, time.monotonic() + 60 * wanted["longest_min"])
    except ERRORS as err:
        return _refused([str(err)])


def _folder():
    return saltroni.clusters.folder(__opts__)


def _shelf(model):
    return saltroni.drill.shelf.Shelf(f"{_folder()}/{model['cluster']}")


def _new(model, faults, rounds, node, exclude):
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: at least one")
    if node is not None and node not in model["nodes"]:
        raise ValueError(f"{node} is no node of {model['cluster']}: there are {', '.join(model['nodes'])}")
    if model["drills"]["allowed"] is not True:
        raise ValueError(f"saltroni:drills:allowed isn't true for cluster {model['cluster']}: drills make real faults")
    known = list(saltroni.faults.known())
    picked = saltroni.drill.suite.chosen(known, faults, exclude)
    return saltroni.drill.suite.new(
        saltroni.drill.shelf.fresh(), model["cluster"], picked, rounds, node, saltroni.drill.course.now()
    )


def _done(state, model, shelf, until_clock=None):
    """Do what is left of a suite, tell it, and say what came of it."""
    shelf.keep(state)
    _show(f"suite {state['suite']}: {len(state['asked']['faults'])} faults, {state['asked']['rounds']} rounds each")
    hands = saltroni.drill.suite.Hands(
        begin=_begin, await_=_await, keep=shelf.keep, show=_show, now=saltroni.drill.course.now
    )
    state = saltroni.drill.suite.run(state, model, hands, until_clock)
    table = saltroni.drill.table.table(state)
    for line in table:
        _show(line)
    told = _brief(state, shelf)
    # the same end of the same suite is one event
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{state['suite']} {state['updated']}"))
    faults = saltroni.drill.table.by_fault(state)
    _tell(model, "suite/finished", {"id": identity, **told, "faults": faults}, state["asked"]["node"])
    return {**told, "table": table, "retcode": int(state["verdict"] != "passed")}


def _brief(state, shelf):
    return {
        "suite": state["suite"],
        "verdict": state["verdict"],
        "reasons": state["reasons"],
        "started": state["started"],
        "updated": state["updated"],
        "totals": saltroni.drill.table.totals(state),
        "file": str(shelf.path(state["suite"])),
    }


def _refused(reasons):
    _show("refused: " + "; ".join(reasons))
    return {"verdict": "refused", "reasons": reasons, "retcode": REFUSED}


def _refusal(model):
    """Why drills on a schedule wouldn't be begun now: a list, empty if they would."""
    failures = []
    for node in saltroni.drill.suite.observers(model):
        try:
            said = _await(node, _begin(node, "patroni.drill_ready", {}), f"patroni.drill_ready on {node}", 60)
        except saltroni.drill.errand.Lost as err:
            said = str(err)
        if isinstance(said, dict):
            return saltroni.drill.schedule.refusal(said, node)
        failures += saltroni.drill.schedule.refusal(said, node)
    return failures


def _tell(model, what, data, node=None):
    """Have a node of the cluster keep an event for the report: it records what nodes tell, and nothing else."""
    event = {"kind": what, "data": data, "id": data["id"], "time": saltroni.drill.course.now()}
    for name in saltroni.drill.suite.observers(model, node) + model["by_role"]["master"]:
        try:
            if _await(name, _begin(name, "spool.put", event), f"spool.put on {name}", 30) == data["id"]:
                return
        except saltroni.drill.errand.Lost as err:
            _show(f"{what} wasn't told by {name}: {err}")


def _minions():
    return saltroni.minions.Minions(__opts__["conf_file"])


def _begin(node, function, arguments):
    return _minions().begin(node, function, arguments)


def _await(node, job, what, deadline_s):
    return _minions().await_(node, job, what, deadline_s)


def _show(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
