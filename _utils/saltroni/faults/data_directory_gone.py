"""The data directory is gone while PostgreSQL runs, as by a wrong ``rm`` or a lost mount.

It is renamed, and kept aside for a while. Patroni finds no data, gives the lease back, and copies from the new leader.
What was kept aside is removed when the fault heals; if nothing has taken its place by then, it is put back.
"""

import os
import time
from pathlib import Path

from saltroni import processes
from saltroni.faults import FaultError, healer

SUMMARY = "the data directory is moved away while PostgreSQL runs"
NAME = "data_directory_gone"
LASTS_S = 30
# never through a link (pg_wal may be one), never onto another file system
_HEAL = 'if [ -e "$1" ]; then exec rm -rf --one-file-system -- "$2"; elif [ -e "$2" ]; then exec mv -T -- "$2" "$1"; fi'


def aside(data_dir):
    """Where it is kept: beside it, on the same file system."""
    return Path(f"{data_dir}.saltroni-gone")


def heal_command(data_dir):
    """What ends it; harmless when there is none."""
    return ["sh", "-c", _HEAL, "heal", str(data_dir), str(aside(data_dir))]


def unable(target):
    """A file system of its own can't be renamed."""
    if os.path.ismount(target.data_dir):
        return f"{target.data_dir} is a mount: it can't be renamed"
    return None


def inject(target, deadline_s):
    """Rename it; a timer of systemd removes what is kept aside after ``deadline_s`` seconds."""
    if active(target):
        raise FaultError(f"{aside(target.data_dir)} is still there: fault.heal {NAME}")
    try:
        processes.postmaster(target.data_dir)
        heals_by = healer.arm(NAME, deadline_s, *heal_command(target.data_dir))
        Path(target.data_dir).rename(aside(target.data_dir))
    except (OSError, processes.ProcessError) as err:
        raise FaultError(str(err)) from err
    return {"at_unix": time.time(), "heals_by": heals_by}


def heal(target):
    """Remove what is kept aside, or put it back where nothing has taken its place."""
    healer.run(*heal_command(target.data_dir), timeout_s=300)
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether something is kept aside."""
    return aside(target.data_dir).exists()


def visible_after_s(model):
    """Patroni must look first; PostgreSQL runs on until then."""
    return float(model["timings"]["loop_wait_s"] + 2)


def cost(promise):
    """Patroni sees at its next look that there is no data, and stops PostgreSQL."""
    return promise.crash()
