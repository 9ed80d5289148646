"""PostgreSQL dies and can't start again: its program can't be executed any more.

An empty file that nobody may execute is mounted over it, so that nothing on the disk is changed and a reboot forgets it.

Source: mount(8), "Bind mounts".
"""

import signal
import time
from pathlib import Path

from saltroni import processes
from saltroni.faults import FaultError, healer

SUMMARY = "kill -9 of the postmaster, and its program can't be executed"
NAME = "postgres_unreadable"
NEEDS = "root that may mount"
LASTS_S = 20
EMPTY = Path("/run/saltroni/not-executable")


def program(target):
    """The program that Patroni runs."""
    return f"/usr/lib/postgresql/{target.model['postgresql']['version']}/bin/postgres"


def mounted(path, mountinfo="/proc/self/mountinfo"):
    """Whether something is mounted on ``path``. Source: proc_pid_mountinfo(5), field 5."""
    lines = Path(mountinfo).read_text(encoding="utf-8").splitlines()
    return any(line.split()[4] == str(path) for line in lines)


def unable(target):
    """Mounting is tried where nobody sees it."""
    path = program(target)
    try:
        healer.run("unshare", "--mount", "mount", "--bind", path, path)
    except FaultError as err:
        return f"this machine doesn't let us mount a file over {path}: {err}"
    return None


def inject(target, deadline_s):
    """Mount the empty file over the program and kill the postmaster; a timer takes it away after ``deadline_s``."""

    def postmaster():
        return processes.postmaster(target.data_dir)

    path = program(target)
    if active(target):
        raise FaultError(f"something is mounted on {path} already: fault.heal {NAME}")
    try:
        pid = postmaster()
        heals_by = healer.arm(NAME, deadline_s, "umount", "--lazy", path)
        EMPTY.parent.mkdir(mode=0o755, exist_ok=True)
        EMPTY.touch()
        EMPTY.chmod(0o000)
        healer.run("mount", "--bind", str(EMPTY), path)
        processes.send(pid, signal.SIGKILL, postmaster)
    except (OSError, processes.ProcessError) as err:
        heal(target)
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def heal(target):
    """Take the empty file away."""
    if active(target):
        healer.run("umount", "--lazy", program(target))
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether something is mounted over the program."""
    return mounted(program(target))


def cost(promise):
    """As of a crash; the old leader can't recover in place."""
    return promise.crash()
