"""The report of a cluster: what is recorded, and REPORT.md made of it. The reactor calls :func:`record`.

Files, below ``/var/lib/saltroni/<cluster>/``: ``events/YYYY-MM.jsonl``, ``REPORT.md``.

:depends: Jinja2
"""

import logging

import jinja2
from salt.exceptions import SaltInvocationError, SaltRunnerError

import saltroni.clusters
import saltroni.report.events
import saltroni.report.page
import saltroni.report.problems
import saltroni.report.store
import saltroni.report.writing

LOG = logging.getLogger(__name__)

ERRORS = (saltroni.report.store.StoreError, jinja2.TemplateError, OSError, ValueError, LookupError, TypeError)


def _folder():
    return saltroni.clusters.folder(__opts__)


def _clusters():
    try:
        found = saltroni.clusters.known(_folder())
    except (ValueError, OSError) as err:
        raise SaltRunnerError(str(err)) from err
    if not found:
        raise SaltRunnerError(
            f"no cluster is known in {_folder()}: run salt '*' saltutil.refresh_pillar, and see that the master's "
            "configuration has ext_pillar: [{saltroni_cluster: {}}]"
        )
    return found


def _one(cluster):
    _clusters()  # none at all has its own words
    try:
        model = saltroni.clusters.one(cluster, _folder())
    except ValueError as err:
        raise SaltInvocationError(str(err)) from err
    return model["cluster"], model


def _path(cluster):
    return f"{_folder()}/{cluster}"


def _store(cluster):
    return saltroni.report.store.opened(f"{_path(cluster)}/events")


def _facts(cluster):
    name, model = _one(cluster)
    try:
        return name, saltroni.report.page.gather(model, _store(name).read())
    except saltroni.report.store.StoreError as err:
        raise SaltRunnerError(str(err)) from err


def record(tag, data):
    """Record a message from the master's event bus, and have the report written.

    Called by the reactor. Salt tells nobody about a runner's error there, so errors are logged here.

    tag
        the message's tag
    data
        the message

    Returns the event's id; None if it is nothing for the report, is refused, or was recorded before.

    CLI Example:

    .. code-block:: bash

        salt-run report.record saltroni/demo/drill/finished '{...}'
    """
    try:
        folder = _folder()
        event = saltroni.report.events.from_bus(tag, data, lambda node: saltroni.clusters.of_node(node, folder))
        if event is None:
            return None
        return _kept(event)
    except saltroni.report.events.Refused as err:
        LOG.warning("an event was not recorded: %s", err)
    except Exception:
        # whatever it is, nobody else will tell
        LOG.exception("the report failed on event %s", str(tag)[:200])
    return None


def _kept(event):
    cluster = event["cluster"]
    if not _store(cluster).append([event]):
        return None
    model = saltroni.clusters.known(_folder())[cluster]
    saltroni.report.writing.request(_path(cluster), lambda: saltroni.report.writing.write(_path(cluster), model))
    return event["id"]


def write(cluster=None):
    """Write REPORT.md now, with the state runs that the reactor missed: the master's job cache still has them.

    cluster
        its name; every cluster of this master without it

    Returns ``{cluster: {path, events, runs, problems, open, drills}}``.

    Raises SaltRunnerError if the events can't be read or the page can't be written.

    CLI Example:

    .. code-block:: bash

        salt-run report.write
        salt-run report.write cluster=demo
    """
    models = dict([_one(cluster)]) if cluster else _clusters()
    try:
        _recover(models)
        return {name: saltroni.report.writing.write(_path(name), model) for name, model in models.items()}
    except ERRORS as err:
        raise SaltRunnerError(f"REPORT.md could not be written: {err}") from err


def _recover(models):
    """State runs that aren't recorded: from before the reactor was configured, or that it dropped."""
    folder = _folder()
    missed = {name: [] for name in models}
    for jid in __salt__["jobs.list_jobs"](search_function="state.*"):
        job = __salt__["jobs.list_job"](jid)
        for event in saltroni.report.events.from_jobs(jid, job, lambda node: saltroni.clusters.of_node(node, folder)):
            missed.get(event["cluster"], []).append(event)
    for name, events in missed.items():
        if events:
            _store(name).append(events)


def show(since=None, cluster=None):
    """Recorded events, one line each, the oldest first.

    since
        only from this time on: ``2026-11-24`` or ``2026-11-24T18:00:00``, UTC
    cluster
        its name, needed where there are several

    Raises SaltInvocationError if ``since`` is no time.

    CLI Example:

    .. code-block:: bash

        salt-run report.show since=2026-11-24
    """
    begin = ""
    if since:
        moment = saltroni.report.events.moment(str(since))
        if moment is None:
            raise SaltInvocationError(f"since={since} is no time: write 2026-11-24 or 2026-11-24T18:00:00 (UTC)")
        begin = saltroni.report.events.stamp(moment)
    events = _facts(cluster)[1]["log"].events
    return [
        f"{event['time']} {event['kind']} {event['node'] or 'a person'} {event['id']}"
        for event in events
        if event["time"] >= begin
    ]


def problems(cluster=None):
    """Problems that the report tells, with the ids that :func:`explain` takes.

    cluster
        its name, needed where there are several

    Returns ``{id: {title, nodes, met, solved, how}}``, open ones first.

    CLI Example:

    .. code-block:: bash

        salt-run report.problems
    """
    facts = _facts(cluster)[1]
    keys = ("title", "nodes", "met", "solved", "how")
    return {problem["id"]: {key: problem[key] for key in keys} for problem in facts["problems"]}


def explain(id, text, solved=False, cluster=None):
    """Add a person's explanation to a problem.

    id
        the problem's id in the report, like ``P-3f2a91``
    text
        what it was and what solved it; it must not hold secrets
    solved
        also close the problem, where no later success does it by itself
    cluster
        its name, needed where there are several

    Returns the report's path and counts.

    Raises SaltInvocationError if there is no such problem.

    CLI Example:

    .. code-block:: bash

        salt-run report.explain P-3f2a91 "The mirror was down; the next run succeeded"
    """
    name, facts = _facts(cluster)
    problem = saltroni.report.problems.named(facts["problems"], str(id))
    if problem is None:
        known = ", ".join(found["id"] for found in facts["problems"]) or "none"
        raise SaltInvocationError(f"there is no problem {id}, there are: {known}")
    return _note(name, saltroni.report.problems.explanation(name, problem, str(text), solved))


def problem(title, text, solution=None, time=None, cluster=None):
    """Record a problem that a person met, so that the report tells it with the others.

    title
        the problem in a few words
    text
        what was seen; it must not hold secrets
    solution
        what solved it; without it the problem is open
    time
        when it was met, UTC, now without it
    cluster
        its name, needed where there are several

    Returns the report's path and counts.

    CLI Example:

    .. code-block:: bash

        salt-run report.problem "etcd did not start" "no quorum" solution="started the other two members"
    """
    name, _ = _one(cluster)
    moment = saltroni.report.events.moment(str(time)) if time else None
    if time and moment is None:
        raise SaltInvocationError(f"time={time} is no time: write 2026-11-24T18:00:00 (UTC)")
    data = {"title": str(title), "text": str(text), "solution": str(solution) if solution else None}
    return _note(name, saltroni.report.events.note(name, "noted", data, moment))


def _note(cluster, event):
    try:
        _store(cluster).append([event])
    except saltroni.report.store.StoreError as err:
        raise SaltRunnerError(str(err)) from err
    return write(cluster)[cluster]


def verify(cluster=None):
    """Whether every recorded event can be read.

    cluster
        its name; every cluster of this master without it

    Returns ``{cluster: {ok, events, first, last, unreadable, torn}}``: ``unreadable`` lists lines as ``file:number``,
    ``torn`` counts lines that a crash left half written.

    CLI Example:

    .. code-block:: bash

        salt-run report.verify
    """
    found = {}
    for name in [_one(cluster)[0]] if cluster else _clusters():
        log = _facts(name)[1]["log"]
        found[name] = {
            "ok": not log.unreadable,
            "events": len(log.events),
            "first": log.events[0]["time"] if log.events else None,
            "last": log.events[-1]["time"] if log.events else None,
            "unreadable": [f"{file}:{number}" for file, number in log.unreadable],
            "torn": log.torn,
        }
    return found
