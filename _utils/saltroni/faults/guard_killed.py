"""The lease guard dies at once."""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError

SUMMARY = "kill -9 of the lease guard on the leader"
UNIT = "saltroni-guard.service"


def inject(target, deadline_s):
    """Kill it. Nothing lasts: systemd starts it again."""
    del target, deadline_s

    def main():
        return processes.main_pid(UNIT)

    pid = main()
    if pid is None:
        raise FaultError(f"{UNIT} doesn't run on this node")
    try:
        processes.send(pid, signal.SIGKILL, main)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": "systemd starts it again"}


def heal(target):
    """Nothing to do: systemd starts it again."""
    return {"running": not active(target)}


def active(target):
    """Never lasts."""
    del target
    return False


def unable(target):
    """Only where there is one."""
    return None if target.model["guard"]["enabled"] else "saltroni:guard:enabled is false, there is no lease guard"


def visible_after_s(model):
    """Long enough for harm that it might do: a lease would have ended."""
    return float(model["timings"]["ttl_s"])


def cost(promise):
    """PostgreSQL and Patroni don't need it."""
    return promise.nothing()
