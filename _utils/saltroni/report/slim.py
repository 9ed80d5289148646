"""Events as the page needs them, so that many fit into memory. Pure."""

import heapq
import sys

from saltroni.report import drills, events, runs


class Slim:
    """Reduces events, in whatever order they come; give it to :meth:`saltroni.report.store.Store.read`.

    State runs lose the states that had nothing to do (:func:`saltroni.report.runs.slim`), drills the samples of replication
    lag, but for the latest ones, of which a picture is drawn.

    Args:
        lags: how many drills keep their samples.
    """

    def __init__(self, lags=drills.SHOWN):
        self._lags = lags
        self._latest = []  # (time, number, event), the oldest first

    def __call__(self, event):
        """``event``, reduced in place."""
        event = _interned(runs.slim(event))
        if event["kind"] == events.RUN:
            event["data"]["well"] = sys.intern(event["data"]["well"])
        if event["kind"] == drills.FINISHED and "lag" in event["data"]:
            heapq.heappush(self._latest, (event["time"], event["id"], event))
            if len(self._latest) > self._lags:
                heapq.heappop(self._latest)[2]["data"].pop("lag")
        return event


def _interned(event):
    """Words that all events have once in memory, not once an event; for names of fields the parser does so."""
    for name in ("cluster", "node", "kind"):
        event[name] = sys.intern(str(event[name]))
    return event
