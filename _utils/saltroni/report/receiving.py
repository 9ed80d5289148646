"""What a node delivers from its spool, to what is recorded and what the node is told of it."""

import logging

from saltroni.report import events
from saltroni.spool import parcel

LOG = logging.getLogger(__name__)


def receive(text, node, cluster, received, keep):
    """Record what a node delivers.

    Args:
        text: a parcel, see :mod:`saltroni.spool.parcel`.
        node: who sent it, as the master knows by the key that it proved to have.
        cluster: the node's cluster.
        received: an aware datetime.
        keep: takes events; they are on disk when it returns.

    Returns:
        ``{recorded: [ids], refused: {id: why}}``, ids as the node gave them.

    Raises:
        ParcelError: the text is no parcel.
    """
    recorded, refused, kept = [], {}, []
    sent = parcel.unpack(text)
    for one in sent if isinstance(sent, list) else []:
        identity = one.get("id") if isinstance(one, dict) else None
        try:
            kept.append(events.delivered(one, node, cluster, received))
            recorded.append(identity)
        except events.Refused as err:
            LOG.warning("an event of %s was refused: %s", node, err)
            refused[str(identity)[:100]] = str(err)
    keep(kept)
    return {"recorded": recorded, "refused": refused}
