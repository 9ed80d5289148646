"""The WAL's file system is full: PostgreSQL panics when it needs another segment, and can't start until there is space.

Another member takes over, as after any crash. The old leader comes back when it can write again.
"""

import time
from pathlib import Path

from saltroni.faults import disk

SUMMARY = "the file system of PostgreSQL's WAL runs full"
NAME = "wal_disk_full"
NEEDS = "a file system for WAL alone"
#: Longer than the others need to take over.
LASTS_S = 30.0
#: Segments that wait to be used again are used up: a disk runs full by WAL that is written. As many as fit (1 GiB).
SEGMENTS = 64


def _wal(target):
    return Path(target.data_dir, "pg_wal")


def inject(target, deadline_s):
    """Take all the space that is left, and go on to new segments until there is none."""
    heals_by = disk.arm(NAME, _wal(target), deadline_s)
    file = disk.fill(_wal(target))
    used = 0
    while used < SEGMENTS:
        at = time.time()
        # a switch on a segment that nothing was written to does nothing
        if not disk.sql("SELECT pg_logical_emit_message(true, 'drill', 'full') IS NOT NULL, pg_switch_wal()"):
            break
        used += 1
        disk.fill(_wal(target))
    return {"at_unix": at, "heals_by": heals_by, "file": str(file), "segments": used}


def heal(target):
    """Give the space back."""
    return disk.empty(NAME, _wal(target))


def active(target):
    """Whether our file takes the space."""
    return disk.full(_wal(target))


def unable(target):
    """Only a file system that WAL has for itself."""
    return disk.unable(_wal(target), {"the data directory": target.data_dir})


def cost(promise):
    """A crash, seen at Patroni's next look."""
    return promise.crash()
