"""The whole cluster, brought back to a moment of its past.

    salt-run restore.plan time='2026-11-25 10:00:00+00:00'                    # what would be done; changes nothing
    salt-run state.orchestrate orch.restore pillar='{"restore": {"time": "2026-11-25 10:00:00+00:00"}}'
    salt-run restore.show                                                    # how far it is, or was
    salt-run restore.back                                                    # the old data again
    salt-run restore.forget                                                  # the old data aren't needed any more

The state of a restore is kept in ``/var/lib/saltroni/<cluster>/restores/``. Interrupted at any step, the same call goes on.
Progress goes to the error output at once.
"""

import sys
import uuid

import saltroni.backup.target
import saltroni.clusters
import saltroni.drill.course
import saltroni.drill.errand
import saltroni.drill.shelf
import saltroni.drill.suite
import saltroni.minions
import saltroni.restore.course
import saltroni.restore.plan
import saltroni.restore.shelf

ERRORS = (
    OSError,
    ValueError,
    saltroni.drill.errand.Lost,
    saltroni.restore.course.Stopped,
    saltroni.restore.plan.Refused,
    saltroni.restore.shelf.ShelfError,
)
ASK_S = 90
SURVEY_S = 900


def plan(cluster=None, **asked):
    """What a restore would do, with the recovery window; nothing is changed.

    cluster
        its name, needed where there are several
    time, lsn, name, xid, latest
        one of them: ISO 8601 (UTC without a zone), PostgreSQL's LSN, a named point, a transaction's number, ``latest=True``
    inclusive
        ``False``: what lies exactly there is left out
    timeline
        the timeline to follow; the newest without it
    node, keep, replace, source, without, backup, after
        see docs/backups.md

    Returns ``{verdict, reasons}`` and the plan; the exit code is 2 if it is refused.

    CLI Example:

    .. code-block:: bash

        salt-run restore.plan time='2026-11-25 10:00:00'
        salt-run restore.plan latest=True
    """
    try:
        model = _cluster(cluster)
        made = _plan(model, "(none)", _asked(asked))
        for line in saltroni.restore.plan.lines(made):
            _show(line)
        return {"verdict": "possible", "reasons": [], **made}
    except ERRORS as err:
        return _refused(err)


def begin(cluster=None, **asked):
    """Plan a restore and write the plan down, or take up the one that isn't over. The first step of ``orch.restore``.

    Arguments: see :func:`plan`; without any, an unfinished one is taken up.

    Returns ``{restore, left}``, or ``{Error}``, by which Salt's orchestration knows a failure, and the exit code 1: nothing was
    changed then.

    CLI Example:

    .. code-block:: bash

        salt-run restore.begin time='2026-11-25 10:00:00'
    """
    try:
        model = _cluster(cluster)
        shelf = _shelf(model)
        with shelf.alone():
            state = _taken_up(shelf.unfinished(), _asked(asked)) or _new(model, shelf, _asked(asked))
            for line in saltroni.restore.plan.lines(state["plan"]):
                _show(line)
            done = ", ".join(state["done"])
            _show(f"goes on after: {done}" if done else "begins")
            return {"restore": state["restore"], "left": saltroni.restore.course.left(state)}
    except ERRORS as err:
        return _failed(err)


def step(name, cluster=None):
    """Do one step of the restore that isn't over; what is done already isn't done again.

    name
        one of those that ``restore.show`` lists

    Returns what the step gave, or ``{Error}`` and the exit code 1 if it can't be done now: the same call goes on later.

    CLI Example:

    .. code-block:: bash

        salt-run restore.step fetch
    """
    try:
        model = _cluster(cluster)
        shelf = _shelf(model)
        with shelf.alone():
            state = shelf.unfinished()
            if state is None:
                raise ValueError("there is no unfinished restore: restore.begin")
            course = _course(state, shelf)
            result = course.step(name)
            if course.finished():
                _tell(model, state)
            return result
    except ERRORS as err:
        return _failed(err)


def show(restore=None, cluster=None):
    """How far a restore is: the newest, unless one is named.

    Returns ``{restore, verdict, plan, done, left, down, reasons, kept}``; ``down`` tells whether the cluster is stopped for it.

    CLI Example:

    .. code-block:: bash

        salt-run restore.show
    """
    try:
        state = _shelf(_cluster(cluster)).chosen(restore)
    except ERRORS as err:
        return _refused(err)
    return {
        "restore": state["restore"],
        "verdict": state["verdict"] or ("being undone" if state["back"] else "unfinished"),
        "target": state["plan"]["words"],
        "plan": saltroni.restore.plan.lines(state["plan"]),
        "done": {name: result.get("took_s") for name, result in state["done"].items()},
        "left": [] if saltroni.restore.course.over(state) else saltroni.restore.course.left(state),
        "down": saltroni.restore.course.down(state) and not saltroni.restore.course.over(state),
        "reasons": state["reasons"],
        "old_data_kept": "swap" in state["done"] and not state["forgotten"],
    }


def back(restore=None, cluster=None):
    """Undo a restore, at whatever step it is, or after its end: the old data lead again. What was written since is kept aside.

    restore
        its id; the newest without it

    Returns ``{undone, ...}``; the exit code is 1 if it couldn't be done: the same call goes on later.

    CLI Example:

    .. code-block:: bash

        salt-run restore.back
    """
    try:
        model = _cluster(cluster)
        shelf = _shelf(model)
        with shelf.alone():
            state = _newest(shelf, restore)
            done = _course(state, shelf).back()
            _tell(model, state)
            return {"restore": state["restore"], **done}
    except ERRORS as err:
        _show(str(err))
        return {"undone": False, "reasons": [str(err)], "retcode": 1}


def forget(restore=None, cluster=None):
    """Remove the old data that a restore kept on the nodes; there is no way back then.

    restore
        its id; the newest without it

    Returns ``{restore, removed: {node: folders}}``; the exit code is 1 if it couldn't be done.

    CLI Example:

    .. code-block:: bash

        salt-run restore.forget
    """
    try:
        shelf = _shelf(_cluster(cluster))
        with shelf.alone():
            state = shelf.chosen(restore)
            return {"restore": state["restore"], "removed": _course(state, shelf).forget()}
    except ERRORS as err:
        _show(str(err))
        return {"removed": {}, "reasons": [str(err)], "retcode": 1}


def _newest(shelf, restore):
    """The restore to undo: only the newest that wasn't undone can be."""
    state = shelf.chosen(restore)
    later = [
        one["restore"]
        for one in shelf.all()
        if one["restore"] > state["restore"] and one["verdict"] != saltroni.restore.course.UNDONE
    ]
    if later:
        raise ValueError(f"restore {later[-1]} came later: undo that one first")
    return state


def _cluster(name):
    return saltroni.clusters.one(name, saltroni.clusters.folder(__opts__))


def _shelf(model):
    return saltroni.restore.shelf.Shelf(f"{saltroni.clusters.folder(__opts__)}/{model['cluster']}")


def _asked(named):
    """Arguments without Salt's own."""
    return {name: value for name, value in named.items() if not name.startswith("__") and value is not None}


def _taken_up(state, asked):
    """The unfinished restore, if nothing else is asked for."""
    if state is None:
        return None
    if asked and asked != state["asked"]:
        raise ValueError(
            f"restore {state['restore']} to {state['plan']['words']} isn't over: the same call without a target goes on with "
            "it, salt-run restore.back undoes it"
        )
    if state["back"]:
        raise ValueError(f"restore {state['restore']} is being undone: salt-run restore.back goes on with that")
    return state


def _new(model, shelf, asked):
    identity = saltroni.drill.shelf.fresh()
    made = _plan(model, identity, asked)
    state = saltroni.restore.course.new(identity, model["cluster"], asked, made, saltroni.drill.course.now())
    shelf.keep(state)
    return state


def _plan(model, identity, asked):
    target = saltroni.backup.target.parse(asked)
    chosen = saltroni.restore.plan.options(asked)
    names = saltroni.restore.plan.members(model, chosen)
    facts = {name: _fact(name) for name in names}
    seen = _patroni(names)
    node = saltroni.restore.plan.leader_to_be(names, chosen, seen, facts)
    if "error" in facts[node]:
        raise saltroni.restore.plan.Refused([f"{node}: {facts[node]['error']}"])
    arguments = {"target": target.row(), "source": chosen["source"], "after": chosen["after"]}
    survey = _ask(node, "patroni_restore.survey", arguments, SURVEY_S)
    if not isinstance(survey, dict):
        raise saltroni.restore.plan.Refused([f"{node}: {survey}"])
    reasons = [f"a {what} runs: {who}" for what, who in (facts[node].get("runs") or {}).items() if who]
    if reasons:
        raise saltroni.restore.plan.Refused(reasons)
    return saltroni.restore.plan.make(model, identity, target, chosen, seen, facts, survey)


def _fact(node):
    try:
        said = _ask(node, "patroni_restore.look", {}, ASK_S)
    except saltroni.drill.errand.Lost as err:
        return {"error": str(err)}
    return said if isinstance(said, dict) else {"error": str(said).strip().splitlines()[-1]}


def _patroni(names):
    """Patroni's view, None if no member answers."""
    for node in names:
        try:
            said = _ask(node, "patroni.cluster", {}, ASK_S)
        except saltroni.drill.errand.Lost:
            continue
        if isinstance(said, dict):
            return said
    return None


def _minions():
    return saltroni.minions.Minions(__opts__["conf_file"])


def _ask(node, function, arguments, deadline_s):
    minions = _minions()
    return minions.await_(node, minions.begin(node, function, arguments), f"{function} on {node}", deadline_s)


def _course(state, shelf):
    minions = _minions()
    hands = saltroni.restore.course.Hands(
        begin=minions.begin, await_=minions.await_, keep=shelf.keep, show=_show, now=saltroni.drill.course.now
    )
    return saltroni.restore.course.Course(state, hands)


def _tell(model, state):
    """Have a node of the cluster keep an event for the report: it records what nodes tell, and nothing else."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"restore {state['restore']} {state['verdict']}"))
    data = saltroni.restore.course.told(state)
    event = {"kind": f"restore/{state['verdict']}", "data": data, "id": identity, "time": saltroni.drill.course.now()}
    for name in saltroni.drill.suite.observers(model) + model["by_role"]["master"]:
        try:
            if _ask(name, "spool.put", event, 30) == identity:
                return
        except saltroni.drill.errand.Lost as err:
            _show(f"restore/{state['verdict']} wasn't told by {name}: {err}")


def _failed(err):
    """What ``salt.runner`` in an orchestration takes for a failure: a traceback would tell nobody anything."""
    _show(str(err))
    return {"Error": str(err), "retcode": 1}


def _refused(err):
    reasons = getattr(err, "reasons", [str(err)])
    _show("refused: " + "; ".join(reasons))
    return {"verdict": "refused", "reasons": reasons, "retcode": 2}


def _show(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
