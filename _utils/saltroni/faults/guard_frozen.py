"""The lease guard stops and keeps everything it holds. systemd's watchdog ends it, and starts another."""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, guard_killed, healer

SUMMARY = "SIGSTOP of the lease guard on the leader"
NAME = "guard_frozen"
UNIT = guard_killed.UNIT


def _continue():
    return ["systemctl", "kill", "--kill-whom=main", "--signal=SIGCONT", UNIT]


def inject(target, deadline_s):
    """Freeze it; a timer of systemd thaws it after ``deadline_s`` seconds, should its watchdog not have ended it."""

    def main():
        return processes.main_pid(UNIT)

    pid = main()
    if pid is None:
        raise FaultError(f"{UNIT} doesn't run on this node")
    if active(target):
        raise FaultError(f"{UNIT} is frozen already: fault.heal {NAME}")
    heals_by = healer.arm(NAME, deadline_s, *_continue())
    try:
        processes.send(pid, signal.SIGSTOP, main)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def heal(target):
    """Thaw it and take the timer away."""
    healer.run(*_continue(), check=False)
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether it is stopped (state ``T``)."""
    del target
    pid = processes.main_pid(UNIT)
    return pid is not None and processes.state(pid) == "T"


def unable(target):
    """Only where there is one."""
    return guard_killed.unable(target)


def lasts_s(model):
    """Longer than a lease lives: what it knew before is worth nothing then."""
    return float(model["timings"]["ttl_s"] + 5)


def cost(promise):
    """PostgreSQL and Patroni don't need it."""
    return promise.nothing()
