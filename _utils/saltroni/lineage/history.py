"""Timeline history files. Pure.

Source: PostgreSQL's documentation, *Continuous Archiving and Point-in-Time Recovery*, "Timelines"; the format is that of
``TIMELINE_HISTORY``: timeline, where it was left, why; separated by tabs.
"""


def position(text):
    """A place in the log, ``1A/2B3C``, as a number."""
    high, low = text.strip().split("/")
    return (int(high, 16) << 32) + int(low, 16)


def place(number):
    """The reverse of :func:`position`."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def parse(text):
    """``[(timeline, where it was left)]``, the oldest first.

    Raises:
        ValueError: it isn't a history file.
    """
    lines = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            timeline, left = line.split("\t")[:2]
            lines.append((int(timeline), position(left)))
    return lines


def difference(own, leaders):
    """Where two histories of the same timeline part, as words; None if nowhere.

    Args:
        own: the member's, see :func:`parse`.
        leaders: the leader's.
    """
    if own == leaders:
        return None
    mine, theirs = dict(own), dict(leaders)
    for timeline in sorted(mine.keys() | theirs.keys()):
        if mine.get(timeline) != theirs.get(timeline):
            here, there = (place(one[timeline]) if timeline in one else "nowhere" for one in (mine, theirs))
            return f"it left timeline {timeline} at {here}, the leader at {there}"
    return "its history has another order"


def name(timeline):
    """The history file of a timeline."""
    return f"{timeline:08X}.history"
