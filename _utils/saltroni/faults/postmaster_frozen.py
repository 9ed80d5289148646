"""PostgreSQL's main process stops: sessions that there are go on, Patroni's among them, and no new one begins.

Patroni asks by its old connection and finds all well, so does whoever asks Patroni. The sessions of the drill are
ended, as those of a pool that turns its connections over: its clients need new ones.
"""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, backends, healer

SUMMARY = "SIGSTOP of the postmaster: old sessions answer, new ones hang"
NAME = "postmaster_frozen"
LONG_S = 15


def inject(target, deadline_s):
    """Freeze the postmaster and end the drill's sessions; a timer of systemd thaws it after ``deadline_s`` seconds."""

    def postmaster():
        return processes.postmaster(target.data_dir)

    try:
        if active(target):
            raise FaultError(f"the postmaster is frozen already: fault.heal {NAME}")
        pid = postmaster()
        heals_by = healer.arm(NAME, deadline_s, "kill", "-CONT", str(pid))
        processes.send(pid, signal.SIGSTOP, postmaster)
        at = time.time()
        for backend in backends.of_drill(pid):
            processes.send(backend, signal.SIGTERM, lambda own=backend: own if own in backends.of_drill(pid) else None)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": at, "heals_by": heals_by}


def heal(target):
    """Thaw the postmaster and take the timer away."""

    def postmaster():
        return processes.postmaster(target.data_dir)

    if active(target):
        try:
            processes.send(postmaster(), signal.SIGCONT, postmaster)
        except processes.ProcessError as err:
            raise FaultError(str(err)) from err
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether the postmaster is stopped (state ``T``)."""
    try:
        return processes.state(processes.postmaster(target.data_dir)) == "T"
    except processes.ProcessError:
        return False


def lasts_s(model):
    """Longer than the lease guard looks on, where there is one."""
    guard = model["guard"]
    looks_on = guard["connect_timeout_s"] + guard["for_s"] if guard["enabled"] and guard["connections"] else 0
    return float(LONG_S + looks_on)


def cost(promise):
    """Nobody acts until it heals, but the lease guard."""
    return promise.no_new_sessions(LONG_S)
