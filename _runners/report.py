"""The report of a cluster: what is recorded, and REPORT.md made of it.

The reactor calls :func:`record` with the returns of state runs; nodes call :func:`receive` with what waits in their spools.

Files, below ``/var/lib/saltroni/<cluster>/``: ``events/YYYY-MM.jsonl``, ``REPORT.md``.

:depends: Jinja2
"""

import logging
from datetime import UTC, datetime

import jinja2
import salt.cache
import salt.client
import salt.loader
from salt.exceptions import SaltInvocationError, SaltRunnerError

import saltroni.clusters
import saltroni.report.events
import saltroni.report.keeping
import saltroni.report.language
import saltroni.report.page
import saltroni.report.problems
import saltroni.report.receiving
import saltroni.report.slim
import saltroni.report.store
import saltroni.report.tellers
import saltroni.report.verify
import saltroni.report.writer
import saltroni.report.writing
import saltroni.spool.mailbox
import saltroni.spool.parcel
import saltroni.wait

LOG = logging.getLogger(__name__)

#: Salt puts a job's return on the bus a moment before it is in the job cache (seconds).
CACHED_WITHIN_S = 5

ERRORS = (
    saltroni.report.store.StoreError,
    jinja2.TemplateError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    saltroni.wait.DeadlineError,
)


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
    return saltroni.report.keeping.opened(_path(cluster))


def _facts(cluster):
    name, model = _one(cluster)
    try:
        return name, saltroni.report.page.gather(model, _store(name).read(reduce=saltroni.report.slim.Slim()))
    except saltroni.report.store.StoreError as err:
        raise SaltRunnerError(str(err)) from err


def record(tag, data):
    """Record a state run's return from the master's event bus, and have the report written.

    Called by the reactor. Salt tells nobody about a runner's error there, so errors are logged here.

    Nothing on the bus, nor in the job cache, proves who said it. So this is for a node's first runs only: one that has told
    a state run from its spool is heard there alone (see ``saltroni.report.tellers``).

    tag
        the message's tag
    data
        the message

    Returns the event's id; None if it is nothing for the report, is refused, or was recorded before.

    CLI Example:

    .. code-block:: bash

        salt-run report.record salt/job/20261124180312123456/ret/pg1 '{...}'
    """
    try:
        event = saltroni.report.events.from_bus(tag, data, _by_hearsay)
        if event is None:
            return None
        if not _is_cached(data):
            raise saltroni.report.events.Refused(f"{tag} isn't in the job cache: no node returned it")
        return next(iter(saltroni.report.keeping.keep(_path(event["cluster"]), [event])), None)
    except saltroni.report.events.Refused as err:
        LOG.warning("an event was not recorded: %s", err)
    except Exception:
        # whatever it is, nobody else will tell
        LOG.exception("the report failed on event %s", str(tag)[:200])
    return None


def _by_hearsay(node):
    """The cluster of a node for which Salt's word counts; None for one that tells its state runs itself, or is of none."""
    cluster = saltroni.clusters.of_node(node, _folder())
    return None if cluster is None or saltroni.report.tellers.tells(_path(cluster), node) else cluster


def _is_cached(message):
    """Whether a return from the bus stands in the job cache: any node can put anything on the bus."""
    if not __opts__.get("job_cache", True) or __opts__.get("ext_job_cache"):
        return True
    if "saltroni_returners" not in __context__:
        __context__["saltroni_returners"] = salt.loader.returners(__opts__, {})
    get = __context__["saltroni_returners"][f"{__opts__['master_job_cache']}.get_jid"]

    def look():
        if (get(message["jid"]) or {}).get(message["id"], {}).get("return") != message.get("return"):
            raise saltroni.wait.NotYet("it isn't there")

    try:
        saltroni.wait.until(look, "the job cache to have the return", CACHED_WITHIN_S, every_s=0.05)
    except saltroni.wait.DeadlineError:
        return False
    return True


def receive(parcel):
    """Record what a node has in its spool, and say what is recorded. Called by nodes (``publish.runner``).

    Salt lets a node call this only with its own key, and says here which node it is.

    parcel
        events, see ``saltroni.spool.parcel``

    Returns ``{recorded: [ids], refused: {id: why}}``; what is recorded is on disk.

    Raises SaltInvocationError if the caller is no node of a cluster, or the parcel is none.

    CLI Example:

    .. code-block:: bash

        salt-call publish.runner report.receive saltroni1....
    """
    node = __opts__["id"]
    cluster = saltroni.clusters.of_node(node, _folder())
    if cluster is None:
        raise SaltInvocationError(f"{node} is no node of a cluster that this master knows")
    return _received(parcel, node, cluster)


def collect(node):
    """Record what a node has laid into its mine, and answer it there. Called by the reactor, when the node rings.

    Only the node's own key writes into its mine. Who rings doesn't matter: what was recorded is recorded once.

    node
        its name

    Returns True if there was something; errors are logged, since Salt tells nobody about a reaction's.

    CLI Example:

    .. code-block:: bash

        salt-run report.collect pg1
    """
    try:
        cluster = saltroni.clusters.of_node(node, _folder())
        if cluster is None:
            LOG.warning("%s rang: it is no node of a cluster that this master knows", str(node)[:100])
            return False
        if "saltroni_cache" not in __context__:
            __context__["saltroni_cache"] = salt.cache.factory(__opts__)
        mine = __context__["saltroni_cache"]
        text = saltroni.spool.mailbox.letter(mine.fetch("mine", node))
        if text is None:
            return False
        said = _received(text, node, cluster)
        answered = saltroni.spool.mailbox.answered(mine.fetch("mine", node), text, said)
        if answered is not None:
            mine.store("mine", node, answered)
        return True
    except Exception:
        # whatever it is, nobody else will tell; the node hears nothing, and asks by a call
        LOG.exception("the report could not collect from %s", str(node)[:100])
        return False


def _received(parcel, node, cluster):
    """Record a node's parcel; raises SaltInvocationError if it is none."""
    try:
        return saltroni.report.receiving.receive(
            parcel,
            node,
            cluster,
            datetime.now(UTC),
            lambda events: saltroni.report.keeping.told(_path(cluster), node, events),
        )
    except saltroni.spool.parcel.ParcelError as err:
        raise SaltInvocationError(str(err)) from err


def write(cluster=None, language=None):
    """Write the report now, with the state runs that the reactor missed: the master's job cache still has them.

    cluster
        its name; every cluster of this master without it
    language
        ``en`` or ``ru``; another one than ``saltroni:report:language`` is written beside it, as ``REPORT.ru.md``

    Returns ``{cluster: {path, events, runs, problems, open, drills, failovers, pictures}}``.

    Raises SaltRunnerError if the events can't be read or the page can't be written.

    CLI Example:

    .. code-block:: bash

        salt-run report.write
        salt-run report.write cluster=demo language=ru
    """
    if language not in (None, *saltroni.report.language.LANGUAGES):
        raise SaltInvocationError(f"language={language}: there are {', '.join(saltroni.report.language.LANGUAGES)}")
    models = dict([_one(cluster)]) if cluster else _clusters()
    try:
        _recover(models)
        return {name: _written(name, model, language) for name, model in models.items()}
    except ERRORS as err:
        raise SaltRunnerError(f"REPORT.md could not be written: {err}") from err


def _written(cluster, model, language=None):
    with saltroni.report.writer.alone(_path(cluster)):
        return saltroni.report.writing.write(_path(cluster), model, language=language)


def _recover(models):
    """State runs that aren't recorded: from before the reactor was configured, or that it dropped; see :func:`record`."""
    missed = {name: [] for name in models}
    for jid in __salt__["jobs.list_jobs"](search_function="state.*"):
        try:
            job = __salt__["jobs.list_job"](jid)
        except Exception as err:  # noqa: BLE001
            # half a job, which any minion can leave there: it may not keep the report from being written
            LOG.warning("job %s can't be read from the job cache: %s", jid, err)
            continue
        for event in saltroni.report.events.from_jobs(jid, job, _by_hearsay):
            missed.get(event["cluster"], []).append(event)
    for name, events in missed.items():
        if events:
            saltroni.report.keeping.add(_path(name), events)


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

    Returns ``{id: {title, nodes, met, times, solved, how}}``, open ones first.

    CLI Example:

    .. code-block:: bash

        salt-run report.problems
    """
    facts = _facts(cluster)[1]
    keys = ("title", "nodes", "met", "times", "solved", "how")
    english = saltroni.report.language.Language()
    told = {"title", "how"}
    return {
        problem["id"]: {
            key: english.fact(problem[key]) if key in told and problem[key] else problem[key] for key in keys
        }
        for problem in facts["problems"]
    }


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


def verify(cluster=None, timeout_s=10):
    """Compare what is recorded with Patroni's own history and with what waits in the nodes' spools.

    cluster
        its name; every cluster of this master without it
    timeout_s
        seconds that nodes may take to answer

    Returns ``{cluster: {ok, events, first, last, unreadable, torn, failovers, history, not_recorded, waiting, silent}}``.
    ``unreadable`` lists lines as ``file:number``; ``torn`` counts lines that a crash left half written; ``history`` counts
    the lines of Patroni's history, None if no member answers, and ``not_recorded`` lists those that the report lacks (the
    leader tells them within a minute); ``waiting`` counts events in nodes' spools, and ``silent`` lists nodes that don't
    answer. ``ok`` is true when all of it is known and nothing is missing.

    CLI Example:

    .. code-block:: bash

        salt-run report.verify
    """
    found = {}
    for name in [_one(cluster)[0]] if cluster else _clusters():
        facts = _facts(name)[1]
        nodes = facts["model"]["nodes"]
        asked = _ask(nodes, "spool.waiting", timeout_s)
        spools = {node: asked[node] if isinstance(asked.get(node), list) else None for node in nodes}
        members = [node for node in facts["model"]["by_role"]["patroni"] if spools[node] is not None]
        said = _ask(members, "patroni.history", timeout_s) if members else {}
        lines = next((lines for lines in said.values() if isinstance(lines, list)), None)
        found[name] = saltroni.report.verify.verdict(facts["log"], lines, facts["failovers"], spools)
    return found


def _ask(nodes, function, timeout_s):
    with salt.client.get_local_client(mopts=__opts__) as client:
        return client.cmd(list(nodes), function, tgt_type="list", timeout=int(timeout_s)) or {}
