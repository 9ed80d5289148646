"""Things of many, found by whose they are and when they were without looking at all. Pure."""

import bisect

from saltroni.report import events


def seconds(stamp):
    """An event's time as seconds since 1970."""
    return events.moment(stamp).timestamp()


class Timed:
    """Things by an owner and a time.

    Args:
        things: ``(owner, an event's time, thing)``; what has no plain owner's name is left out.
    """

    def __init__(self, things):
        self._found = {}
        for owner, stamp, thing in things:
            if isinstance(owner, str):
                self._found.setdefault(owner, []).append((seconds(stamp), thing))
        for found in self._found.values():
            found.sort(key=lambda one: one[0])

    def within(self, owner, begin, end):
        """Things of ``owner`` from ``begin`` to ``end``, seconds since 1970, both included; in the order of their times."""
        found = self._found.get(owner, [])
        first = bisect.bisect_left(found, begin, key=lambda one: one[0])
        last = bisect.bisect_right(found, end, key=lambda one: one[0])
        return [one[1] for one in found[first:last]]
