"""How long writes were out, by the writers' own acknowledgements. Pure.

The outage is the longest time between two consecutive acknowledged commits of one writer, of those that end after
the fault. It is what one client waits. The gap over all writers together is shorter: it ends when the first one
gets through.
"""

from itertools import pairwise


def gaps(times, begin, end):
    """``(from, until, open)`` between consecutive acknowledgements, of those that end after ``begin`` (seconds).

    The last gap reaches to ``end`` and is open: nothing was acknowledged after it.
    """
    ordered = sorted(times)
    found = [(a, b, False) for a, b in pairwise(ordered) if b > begin]
    last = ordered[-1] if ordered else begin
    if end > last:
        found.append((last, end, True))
    return found


def longest(times, begin, end):
    """The longest of :func:`gaps`; an open one counts only if it is longer than every closed one."""
    return max(gaps(times, begin, end), key=lambda gap: gap[1] - gap[0], default=(begin, begin, False))


def measure(acknowledged, begin, end):
    """Outage of a drill.

    Args:
        acknowledged: ``{writer: [seconds]}``.
        begin: when the fault was asked for (seconds, the same clock).
        end: when the writers were stopped.

    Returns:
        ``{outage_s, writer, stopped_at, resumed_at, open, any_writer_s, first_at}``; ``first_at`` is the first commit
        after the gap over all writers.
    """
    by_writer = {writer: longest(times, begin, end) for writer, times in acknowledged.items()}
    worst = max(by_writer, key=lambda writer: by_writer[writer][1] - by_writer[writer][0])
    stopped, resumed, still_open = by_writer[worst]
    together = longest([time for times in acknowledged.values() for time in times], begin, end)
    return {
        "outage_s": round(resumed - stopped, 3),
        "writer": worst,
        "stopped_at": stopped,
        "resumed_at": resumed,
        "open": still_open,
        "any_writer_s": round(together[1] - together[0], 3),
        "first_at": together[1],
    }


def calm(acknowledged, now, window_s, largest_gap_s):
    """Whether every writer has had acknowledgements without a gap in the last ``window_s`` seconds."""
    for times in acknowledged.values():
        points = [now - window_s, *(time for time in times if time > now - window_s), now]
        if len(points) < 3 or max(b - a for a, b in pairwise(points)) > largest_gap_s:
            return False
    return bool(acknowledged)
