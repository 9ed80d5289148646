"""Reads through the replica port against what writers were told, and what the port promises. Pure.

What it promises: HAProxy asks Patroni's ``/replica?lag=BYTES``, which says no to a member that has replayed that many
bytes less than the leader had written when it last told etcd. So a promise in bytes, kept with a delay: the leader tells
every ``loop_wait``, the member looks every ``loop_wait``, HAProxy lets go after ``inter + fall x (...)``. Time isn't
promised: on a cluster where nobody writes, a member that stands still serves old rows for ever.
Source: Patroni's documentation, *Patroni REST API*, "Health check endpoints"; ``api.py``, ``do_GET``.

Three rules:

- on one connection, hence on one member, positions never go back;
- a read is at most so many bytes behind what the leader had written before the delay;
- a member that has replayed a place of the log shows every row that was acknowledged before the leader was there, and
  before the read was sent: a leader has rows in its log that wait for a standby, are shown to nobody, and may be
  acknowledged later at the same place.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

LISTED = 10


@dataclass(frozen=True)
class Read:
    """One look at a replica. Times are seconds of the writers' clock."""

    sent_at: float
    member: str
    connection: int
    replayed: int  # asked before the rows
    positions: dict  # writer -> the highest sequence that is there, 0 without any


@dataclass(frozen=True)
class Place:
    """How far the leader had written (bytes of its log) between two moments."""

    sent_at: float
    received_at: float
    written: int


@dataclass
class Seen:
    """What readers saw."""

    reads: list = field(default_factory=list)
    places: list = field(default_factory=list)
    failed: int = 0


def delay_s(loop_wait_s, release_s):
    """How long the port may keep a member that is too far behind (seconds)."""
    return 2 * loop_wait_s + release_s


def backwards(reads):
    """Reads whose position is before an earlier one of the same connection."""
    highest, found = {}, []
    for read in reads:
        known = highest.setdefault(read.connection, {})
        fell = [writer for writer, there in read.positions.items() if there < known.get(writer, 0)]
        if fell:
            writer = fell[0]
            found.append(f"{read.member}: writer {writer} was at {known[writer]}, then at {read.positions[writer]}")
        for writer, there in read.positions.items():
            known[writer] = max(there, known.get(writer, 0))
    return found


def behind(reads, places, lag_bytes, late_s):
    """Reads that are staler than the port promises."""
    moments = [place.received_at for place in places]
    found = []
    for read in reads:
        known = bisect_right(moments, read.sent_at - late_s)
        written = places[known - 1].written if known else 0
        if read.replayed + lag_bytes < written:
            found.append(
                f"{read.member}: {written - read.replayed} bytes behind what was written {late_s:g} s before, "
                f"{lag_bytes} are promised"
            )
    return found


def lacking(reads, places, acknowledged):
    """Reads without a row that was acknowledged before they were sent, at a place that this member had replayed."""
    ordered = sorted(places, key=lambda place: place.written)
    written = [place.written for place in ordered]
    # of all places up to this one, the latest question: acknowledgements before it are in that part of the log
    latest, asked = float("-inf"), []
    for place in ordered:
        latest = max(latest, place.sent_at)
        asked.append(latest)
    rows = {writer: sorted((at, sequence) for sequence, at in known.items()) for writer, known in acknowledged.items()}
    times = {writer: [at for at, _ in known] for writer, known in rows.items()}
    found = []
    for read in reads:
        known = bisect_right(written, read.replayed)
        if not known:
            continue
        for writer, there in read.positions.items():
            before = bisect_right(times.get(writer, []), min(asked[known - 1], read.sent_at))
            if before and rows[writer][before - 1][1] > there:
                wanted = rows[writer][before - 1][1]
                found.append(f"{read.member}: writer {writer} is at {there}, {wanted} was acknowledged before")
                break
    return found


def check(seen, acknowledged, lag_bytes, late_s):
    """All three.

    Args:
        seen: :class:`Seen`.
        acknowledged: ``{writer: {sequence: time}}`` of rows that aren't lost.
        lag_bytes: what the port promises.
        late_s: see :func:`delay_s`.

    Returns:
        ``{reads, reads_failed, reads_of, reads_backwards, stale_reads, bad_reads}``
    """
    back = backwards(seen.reads)
    stale = behind(seen.reads, seen.places, lag_bytes, late_s) + lacking(seen.reads, seen.places, acknowledged)
    members = sorted({read.member for read in seen.reads})
    return {
        "reads": len(seen.reads),
        "reads_failed": seen.failed,
        "reads_of": {name: sum(read.member == name for read in seen.reads) for name in members},
        "reads_backwards": len(back),
        "stale_reads": len(stale),
        "bad_reads": (back + stale)[:LISTED],
    }
