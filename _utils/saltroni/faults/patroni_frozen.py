"""Patroni's main process stops and keeps everything it holds, as on a machine that swaps or a stalled disk.

The lease runs out while PostgreSQL still writes. What ends that is HAProxy (it gets no answer), the lease guard and a
watchdog.

Source: systemctl(1), ``kill --kill-whom=main``.
"""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, healer, lease

SUMMARY = "SIGSTOP of Patroni, PostgreSQL runs on"
NAME = "patroni_frozen"
WRITES_DIRECTLY = True
lasts_s, visible_after_s = lease.outlasts_s, lease.over_s


def _continue(target):
    return ["systemctl", "kill", "--kill-whom=main", "--signal=SIGCONT", target.unit]


def inject(target, deadline_s):
    """Freeze Patroni; a timer of systemd thaws it after ``deadline_s`` seconds, whatever happens to us."""

    def main():
        return processes.main_pid(target.unit)

    pid = main()
    if pid is None:
        raise FaultError(f"{target.unit} doesn't run on this node")
    if active(target):
        raise FaultError(f"{target.unit} is frozen already: fault.heal {NAME}")
    heals_by = healer.arm(NAME, deadline_s, *_continue(target))
    try:
        processes.send(pid, signal.SIGSTOP, main)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def heal(target):
    """Thaw Patroni and take the timer away."""
    healer.run(*_continue(target))
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether Patroni is stopped (state ``T``)."""
    pid = processes.main_pid(target.unit)
    return pid is not None and processes.state(pid) == "T"


def cost(promise):
    """Nobody gives the lease back."""
    return promise.lease_end()
