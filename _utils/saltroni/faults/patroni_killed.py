"""Patroni's main process dies alone; PostgreSQL runs on, systemd starts Patroni again.

HAProxy asks Patroni and gets a refusal meanwhile: it lets go of a leader that is well, and takes it back.
"""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError

SUMMARY = "kill -9 of Patroni alone, systemd starts it again"


def inject(target, deadline_s):
    """Kill it. Nothing lasts: systemd heals it."""
    del deadline_s

    def main():
        return processes.main_pid(target.unit)

    pid = main()
    if pid is None:
        raise FaultError(f"{target.unit} doesn't run on this node")
    try:
        processes.send(pid, signal.SIGKILL, main)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": "systemd starts Patroni again"}


def cost(promise):
    """The leader stays, and can't be asked until Patroni runs again."""
    return promise.agent_restarts()
