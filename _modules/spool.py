"""What this node has to tell the report. It waits in ``/var/spool/saltroni`` until the master has recorded it.

A schedule of the minion calls :func:`attend` (state ``node.reporting``).
"""

import logging
import time
from pathlib import Path

from salt.exceptions import CommandExecutionError

import saltroni.bounded
import saltroni.pillar.told
import saltroni.spool.files
import saltroni.spool.looking
import saltroni.spool.mailbox
import saltroni.spool.sender
import saltroni.wait

LOG = logging.getLogger(__name__)

#: How long the master may take for one batch (seconds). While it is away, Salt would wait for ever.
DELIVERY_S = 25
LOOKED = "/var/lib/saltroni-node/looked"


def _folder():
    """The spool; the minion's option ``saltroni_spool`` names another one."""
    return __opts__.get("saltroni_spool", saltroni.spool.files.FOLDER)


def put(kind, data, id=None, time=None):
    """Keep an event until the master has recorded it. It is recorded once, however often it is sent.

    kind
        ``<what>/<verb>``, like ``drill/finished``
    data
        a dict without secrets
    id
        the event's id; a new one without it
    time
        when it happened, ISO 8601, UTC; now without it

    Returns the event's id.

    Raises CommandExecutionError if it can't be kept.

    CLI Example:

    .. code-block:: bash

        salt-call spool.put maintenance/done '{"what": "replaced a fan"}'
    """
    try:
        return saltroni.spool.files.put(kind, data, id, time, _folder())
    except (OSError, ValueError, TypeError) as err:
        raise CommandExecutionError(f"the event can't be kept: {err}") from err


def waiting():
    """Ids of events that the master hasn't acknowledged, the oldest first.

    CLI Example:

    .. code-block:: bash

        salt-call spool.waiting
    """
    suffix = saltroni.spool.files.SUFFIX
    return [name.removesuffix(suffix) for name in saltroni.spool.files.waiting(_folder())]


def send():
    """Send what waits to the master now.

    Returns ``{sent, refused, waiting}``; None if it is being sent already.

    Raises CommandExecutionError if the master doesn't take it: it is sent again later.

    CLI Example:

    .. code-block:: bash

        salt-call spool.send
    """
    try:
        done = saltroni.spool.sender.send(_deliver, _folder())
    except (saltroni.spool.sender.NotDelivered, saltroni.bounded.TookTooLong, OSError) as err:
        raise CommandExecutionError(f"{err}; the events wait") from err
    for identity, why in (done or {}).get("refused", {}).items():
        LOG.error("the master refuses event %s: %s", identity, why)
    return done


def _deliver(parcel):
    return saltroni.bounded.call(_handed_over, parcel, deadline_s=DELIVERY_S, what="telling the master")


def _handed_over(parcel):
    """By the mine; by a call where the master's reactor doesn't answer: it is set up later than the first node."""
    return _by_mine(parcel) or __salt__["publish.runner"]("report.receive", [parcel])


def _by_mine(parcel):
    """Lay a parcel into this node's mine, ring, and wait for the answer; None if none comes."""
    box, own = saltroni.spool.mailbox, __opts__["id"]
    try:
        bell = box.BELL.format(cluster=saltroni.pillar.told.model(__pillar__)["cluster"])
    except saltroni.pillar.told.NotTold:
        return None
    laid = __salt__["mine.send"](box.NAME, parcel, mine_function="test.echo", allow_tgt=own, allow_tgt_type="list")
    if not laid or not __salt__["event.fire_master"]({"node": own}, bell):
        return None

    def look():
        found = box.answer(__salt__["mine.get"](own, box.NAME, tgt_type="list").get(own), parcel)
        if found is None:
            raise saltroni.wait.NotYet("the master's reactor hasn't answered")
        return found

    time.sleep(box.LOOK_S)
    try:
        return saltroni.wait.until(look, "the master to take the events", box.ANSWER_S, every_s=box.LOOK_S)
    except saltroni.wait.DeadlineError as err:
        LOG.info("%s; it is asked by a call", err)
        return None


def look():
    """See what has changed on this node: certificates, watchdog, pending restart, Patroni's history; keep events of it.

    Returns the kinds of the events.

    Raises CommandExecutionError if they can't be kept.

    CLI Example:

    .. code-block:: bash

        salt-call spool.look
    """
    try:
        return saltroni.spool.looking.look(saltroni.pillar.told.model(__pillar__), _folder())
    except (saltroni.pillar.told.NotTold, OSError, ValueError) as err:
        raise CommandExecutionError(str(err)) from err


def attend(look_every_s=60):
    """What the minion's schedule does: look, if it is time, and send what waits.

    look_every_s
        seconds between looks

    CLI Example:

    .. code-block:: bash

        salt-call spool.attend
    """
    marker = Path(LOOKED)
    age_s = time.time() - marker.stat().st_mtime if marker.exists() else look_every_s
    told = None
    if not 0 <= age_s < look_every_s:
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch()
        told = look()
    return {"told": told, **(send() or {})}
