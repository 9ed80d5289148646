"""The rows of a drill: what was acknowledged, and whether it is there. The comparison is pure.

A row's hash follows from its drill, writer and number, so a damaged row is told from a right one. The table has no key
on purpose: a row that is there twice must be seen.
"""

import hashlib
from dataclasses import dataclass, field

TABLE = """
CREATE TABLE ledger (
    drill uuid NOT NULL,
    writer int NOT NULL,
    sequence bigint NOT NULL,
    hash text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""
#: For readers, who ask for the highest number again and again. Not unique: a row that is there twice must be seen.
INDEX = "CREATE INDEX IF NOT EXISTS ledger_place ON ledger (drill, writer, sequence)"
INSERT = "INSERT INTO ledger (drill, writer, sequence, hash) VALUES (%s, %s, %s, %s)"
ROWS = "SELECT writer, sequence, hash, count(*) FROM ledger WHERE drill = %s AND writer >= 0 GROUP BY 1, 2, 3"
DIGEST = """
SELECT count(*), coalesce(md5(string_agg(writer || ':' || sequence || ':' || hash, ',' ORDER BY writer, sequence)), '')
FROM ledger WHERE drill = %s"""
#: Also what drills left that were killed; only the one that holds the lock may do this.
CLEAN_ALL = "DROP TABLE IF EXISTS ledger"
#: Every drill has a segment of its own. Drills write little, and failovers within one segment leave a copy of it for each
#: timeline, which PostgreSQL only removes when the log has moved on and ``pg_rewind`` copies whole (PostgreSQL 17): after 60
#: failovers that was 1.1 GB, 20 s until the old leader was back, and a disk too busy for the next failover.
SWITCH = "SELECT pg_switch_wal()"
LISTED = 20


def insert(rows=1):
    """The statement that writes so many rows at once."""
    return INSERT + ", (%s, %s, %s, %s)" * (rows - 1)


def digest(drill, writer, sequence):
    """The hash that belongs to a row."""
    return hashlib.sha256(f"{drill}/{writer}/{sequence}".encode()).hexdigest()[:32]


@dataclass
class Ledger:
    """What the writers were told. Times are seconds of one monotonic clock."""

    acknowledged: dict = field(default_factory=dict)  # writer -> {sequence: time}
    unknown: set = field(default_factory=set)  # (writer, sequence): connection lost during the commit
    undurable: set = field(default_factory=set)  # (writer, sequence): committed, but the wait for a standby was cut off
    refused: int = 0  # rows that the server said no to
    not_connected: int = 0  # attempts to connect that failed: no row was sent

    def times(self):
        """``{writer: [times]}`` of acknowledgements."""
        return {writer: list(rows.values()) for writer, rows in self.acknowledged.items()}

    def count(self):
        """Number of acknowledged rows."""
        return sum(len(rows) for rows in self.acknowledged.values())


def compare(ledger, drill, rows):
    """Acknowledged rows against those that are there.

    Args:
        ledger: a :class:`Ledger`.
        drill: the drill's id.
        rows: ``(writer, sequence, hash, count)`` found, see :data:`ROWS`.

    Returns:
        counts, and lists of at most :data:`LISTED` rows as ``writer/sequence``.
    """
    there = {}
    damaged = set()
    for writer, sequence, seen, count in rows:
        there[writer, sequence] = there.get((writer, sequence), 0) + count
        if seen != digest(drill, writer, sequence):
            damaged.add((writer, sequence))
    promised = {(writer, sequence) for writer, known in ledger.acknowledged.items() for sequence in known}
    lost = sorted(row for row in promised if row not in there or row in damaged)
    twice = sorted(row for row, count in there.items() if count > 1)
    strange = sorted(there.keys() - promised - ledger.unknown - ledger.undurable)
    return {
        "acknowledged": len(promised),
        "lost": len(lost),
        "lost_rows": _listed(lost),
        "damaged": len(damaged),
        "duplicated": len(twice),
        "duplicated_rows": _listed(twice),
        "unknown": {"present": len(ledger.unknown & there.keys()), "absent": len(ledger.unknown - there.keys())},
        "undurable": {"present": len(ledger.undurable & there.keys()), "absent": len(ledger.undurable - there.keys())},
        "refused": ledger.refused,
        "not_connected": ledger.not_connected,
        "refused_but_present": len(strange),
        "refused_but_present_rows": _listed(strange),
    }


def kept(ledger, rows):
    """``{writer: {sequence: time}}`` of acknowledged rows that are there."""
    there = {(writer, sequence) for writer, sequence, _, _ in rows}
    return {
        writer: {sequence: at for sequence, at in known.items() if (writer, sequence) in there}
        for writer, known in ledger.acknowledged.items()
    }


def _listed(rows):
    return [f"{writer}/{sequence}" for writer, sequence in rows[:LISTED]]
