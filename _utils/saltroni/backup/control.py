"""What a data directory says of itself: ``pg_controldata``. Pure.

Source: PostgreSQL's documentation, *pg_controldata*.
"""

from dataclasses import dataclass

from saltroni.backup import wal

#: States of a cluster that was stopped in order: as a leader, and as a replica.
STOPPED, STOPPED_IN_RECOVERY = "shut down", "shut down in recovery"
#: Settings that a recovery must not lack: replaying needs as many as the leader had. -> the control file's words.
LEAST = {
    "max_connections": "max_connections setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
    "wal_level": "wal_level setting",
    "track_commit_timestamp": "track_commit_timestamp setting",
}


@dataclass(frozen=True)
class Control:
    """The part that we use."""

    system_id: int
    state: str
    #: Of the latest checkpoint.
    timeline: int
    checkpoint: int
    #: Where a replica's data are consistent at the earliest; 0 for a leader's.
    least_end: int
    least_end_timeline: int
    checksums: bool
    settings: dict

    @property
    def stopped(self):
        """Whether it was stopped in order."""
        return self.state in (STOPPED, STOPPED_IN_RECOVERY)

    @property
    def end(self):
        """``(timeline, LSN)`` that its data have reached at least: what is compared to find the one that is ahead."""
        return max((self.timeline, self.checkpoint), (self.least_end_timeline, self.least_end))


def parse(text):
    """``pg_controldata``'s output (in the language C).

    Raises:
        ValueError: it is something else.
    """
    lines = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            lines[name.strip()] = value.strip()
    try:
        return Control(
            system_id=int(lines["Database system identifier"]),
            state=lines["Database cluster state"],
            timeline=int(lines["Latest checkpoint's TimeLineID"]),
            checkpoint=wal.position(lines["Latest checkpoint location"]),
            least_end=wal.position(lines["Minimum recovery ending location"]),
            least_end_timeline=int(lines["Min recovery ending loc's timeline"]),
            checksums=lines["Data page checksum version"] != "0",
            settings={name: lines[words] for name, words in LEAST.items() if words in lines},
        )
    except (KeyError, ValueError) as err:
        raise ValueError(f"this isn't what pg_controldata says: {text[:200]!r} ({err})") from err
