"""What an event is, and how one is made of what nodes deliver and of what stands on the master's event bus.

An event is a dict: ``id`` (the same however often it is sent), ``time`` (when it happened), ``received``, ``cluster``,
``node`` (who sent it), ``kind`` and ``data``. Times are UTC, ISO 8601, and sort as text.

Who sent it is never what the event says of itself. A node delivers its own events by a call that the master accepts only
with the node's key; a state run's return is on the master's bus, where any node can put anything, so it counts only when
the same stands in the master's job cache, where a node can put its own returns only.
"""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

from saltroni.report import state_run, tidy

#: Job ids: 20 digits of a time, some versions of Salt add the process.
JOB = re.compile(r"^salt/job/(?P<jid>\d{20}(?:_\d+)?)/ret/(?P<node>[^/\s]{1,255})$")
JID = re.compile(r"^\d{20}(?:_\d+)?$")
KIND = re.compile(r"^(?P<what>[a-z0-9_-]{1,40})/(?P<verb>[a-z0-9_-]{1,40})$")
#: A person's words, written on the master only.
NOTES = "problem"
RUN = "states/applied"
#: A node's clock may be ahead by this much; an event from later is dated by its arrival.
AHEAD = timedelta(minutes=10)
BEHIND = timedelta(days=400)


class Refused(ValueError):
    """The message isn't an event that may be recorded; the text says why."""


def stamp(moment):
    """``moment`` (an aware datetime) as all events carry it: ``2026-11-24T18:03:12.120Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text):
    """The time that ``text`` says, or None; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if found.tzinfo is UTC:
        return found
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def from_bus(tag, message, cluster_of, now=None):
    """The event that a message on the master's bus is.

    Args:
        tag: the message's tag.
        message: its data: a job's return.
        cluster_of: function from a node's name to its cluster, None for a node of no cluster.
        now: the time it was received, if the message doesn't say.

    Returns:
        the event, or None if the message is nothing for the report.

    Raises:
        Refused: it pretends to be something that it isn't.
    """
    if not isinstance(tag, str) or not isinstance(message, dict):
        raise Refused("a message is a tag and a dict")
    received = moment(message.get("_stamp")) or now or datetime.now(UTC)
    if tag.startswith("salt/job/"):
        return _returned(tag, message, cluster_of, received)
    return None


def delivered(sent, node, cluster, received):
    """The event that a node delivered from its spool.

    Args:
        sent: what it says: ``id``, ``kind``, ``time``, ``data``.
        node: who sent it, as the master knows by the key that it proved to have.
        cluster: the node's cluster.
        received: an aware datetime.

    Raises:
        Refused: it isn't an event that a node may send.
    """
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), str) or not sent["id"]:
        raise Refused("an event is a dict with an id")
    claimed = tidy.line(sent["id"], 100)
    found = KIND.match(sent["kind"]) if isinstance(sent.get("kind"), str) else None
    if not found:
        raise Refused(f"{tidy.line(sent.get('kind'))!r} is no kind of event")
    if found["what"] == NOTES:
        raise Refused("notes about problems are written on the master: salt-run report.problem, report.explain")
    data = sent.get("data")
    if not isinstance(data, dict):
        raise Refused("its data is no dict")
    happened = _believable(moment(sent.get("time")), received)
    # a node can only repeat its own events, not suppress another's
    identity = f"{node}/{claimed}"
    if sent["kind"] == RUN:
        jid = data.get("jid") if isinstance(data.get("jid"), str) and JID.match(data["jid"]) else identity
        run = {**state_run.normal(data), "jid": jid, "spooled": True}
        return event(f"{jid}/{node}" if jid != identity else identity, cluster, node, RUN, run, happened, received)
    data = {name: value for name, value in data.items() if not str(name).startswith("__")}
    return event(identity, cluster, node, sent["kind"], tidy.data(data), happened, received)


def _returned(tag, message, cluster_of, received):
    found = JOB.match(tag)
    if not found or message.get("fun") not in state_run.FUNCTIONS:
        return None
    node = found["node"]
    if message.get("cmd") != "_return" or message.get("id") != node or message.get("jid") != found["jid"]:
        raise Refused(f"{tidy.line(tag)} isn't the return of that node")
    cluster = cluster_of(node)
    if cluster is None:
        return None
    run = state_run.compact(message["fun"], message.get("fun_args"), message.get("return"), message.get("retcode"))
    run["jid"] = found["jid"]
    return event(f"{found['jid']}/{node}", cluster, node, RUN, run, received, received)


def from_jobs(jid, job, cluster_of):
    """Events of a job from the master's job cache, for what the reactor didn't hear.

    Args:
        jid: the job's id.
        job: as the runner ``jobs.list_job`` gives it.
        cluster_of: see :func:`from_bus`.

    Returns:
        a list of events; the same that :func:`from_bus` would have made, but for their times: a node's end is reckoned
        from the job's start and the states' durations.
    """
    found, begun = [], _of_jid(jid)
    results = job.get("Result")
    if begun is None or job.get("Function") not in state_run.FUNCTIONS or not isinstance(results, dict):
        return found
    for node, result in results.items():
        cluster = cluster_of(node)
        if cluster is None or not isinstance(result, dict):
            continue
        run = state_run.compact(job["Function"], job.get("Arguments"), result.get("return"), result.get("retcode"))
        run["jid"] = jid
        ended = begun + timedelta(seconds=sum(state["seconds"] for state in run["states"]))
        found.append(event(f"{jid}/{node}", cluster, node, RUN, run, ended, ended))
    return found


def _of_jid(jid):
    """The time in a job's id, which is the master's local time."""
    try:
        return datetime.strptime(str(jid)[:20], "%Y%m%d%H%M%S%f").astimezone()
    except ValueError:
        return None


def event(identity, cluster, node, kind, data, happened, received=None):
    """An event from its parts; times are aware datetimes."""
    return {
        "id": identity,
        "time": stamp(happened),
        "received": stamp(received or happened),
        "cluster": cluster,
        "node": node,
        "kind": kind,
        "data": data,
    }


def note(cluster, verb, data, happened=None):
    """A person's note on the master: ``verb`` is ``noted`` or ``explained``."""
    now = datetime.now(UTC)
    happened = happened or now
    kept = tidy.data(data)
    return event(_digest(verb, kept, now), cluster, "", f"{NOTES}/{verb}", kept, happened, now)


def _believable(claimed, received):
    if claimed is None or not received - BEHIND <= claimed <= received + AHEAD:
        return received
    return claimed


def _digest(*parts):
    text = json.dumps([stamp(part) if isinstance(part, datetime) else part for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
