"""The data directory's file system is full: PostgreSQL lives and refuses what needs space (53100), Patroni sees nothing.

Nobody fails over, as a leader that answers and holds its lease is well to everybody. Writes come back with the space.
"""

import time
from pathlib import Path

from saltroni.faults import disk

SUMMARY = "the file system of PostgreSQL's data directory runs full"
NAME = "data_disk_full"
NEEDS = disk.NEEDS
LASTS_S = 20.0


def inject(target, deadline_s):
    """Take all the space that is left; a timer gives it back, or the next boot."""
    heals_by = disk.arm(NAME, target.data_dir, deadline_s)
    file = disk.fill(target.data_dir)
    return {"at_unix": time.time(), "heals_by": heals_by, "file": str(file)}


def heal(target):
    """Give the space back."""
    return disk.empty(NAME, target.data_dir)


def active(target):
    """Whether our file takes the space."""
    return disk.full(target.data_dir)


def unable(target):
    """Only a file system that PostgreSQL's data has for itself."""
    return disk.unable(target.data_dir, {"WAL": Path(target.data_dir, "pg_wal")})


def cost(promise):
    """Writes are refused while it lasts."""
    return promise.lasting(LASTS_S)
