"""Things of many, found by whose they are and when they were without looking at all. Pure."""

import bisect

from saltroni.report import events


def seconds(stamp):
    """An event's time as seconds since 1970."""
    return events.moment(stamp).timestamp()


class Timed:
    """Things by an owner and a time.

    Args:
        things: ``(owner, seconds since 1970, thing)``; what has no plain owner's name is left out.
    """

    def __init__(self, things):
        found = {}
        for owner, at, thing in things:
            if isinstance(owner, str):
                found.setdefault(owner, []).append((at, thing))
        self._moments, self._things = {}, {}
        for owner, pairs in found.items():
            pairs.sort(key=lambda pair: pair[0])
            self._moments[owner] = [at for at, _ in pairs]
            self._things[owner] = [thing for _, thing in pairs]

    def within(self, owner, begin, end):
        """Things of ``owner`` from ``begin`` to ``end``, seconds since 1970, both included; in the order of their times."""
        moments = self._moments.get(owner, ())
        first = bisect.bisect_left(moments, begin)
        if first == len(moments) or moments[first] > end:
            return []
        return self._things[owner][first : bisect.bisect_right(moments, end, first)]
