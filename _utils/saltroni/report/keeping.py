"""Events of a cluster made durable, each once, however often it is told."""

import logging

from saltroni.report import events as kinds
from saltroni.report import runs, store, tellers, writer

LOG = logging.getLogger(__name__)


def opened(folder):
    """The cluster's store."""
    return store.opened(f"{folder}/events")


def add(folder, events):
    """Make events durable.

    Args:
        folder: the cluster's folder on the master.
        events: as :mod:`saltroni.report.events` makes them.

    Returns:
        those that are new.

    Raises:
        StoreError
    """
    return opened(folder).append([runs.slim(event) for event in events])


def keep(folder, events):
    """The same, and have the report written; ids of those that are new."""
    fresh = add(folder, events)
    if fresh:
        try:
            writer.request(folder)
        except OSError:
            LOG.exception("the report in %s can't be written now", folder)
    return [event["id"] for event in fresh]


def told(folder, node, events):
    """Keep what a node has told from its spool; one that has told a state run of its minion's is a teller from now on."""
    keep(folder, events)
    if any(event["kind"] == kinds.RUN and event["data"]["by_minion"] for event in events):
        tellers.mark(folder, node)
