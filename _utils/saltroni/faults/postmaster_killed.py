"""PostgreSQL's main process dies at once, as by the kernel's out-of-memory killer."""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError

SUMMARY = "kill -9 of the postmaster"


def inject(target, deadline_s):
    """Kill it, once it is proven to be the postgres of this data directory. Nothing lasts: Patroni heals it."""
    del deadline_s

    def postmaster():
        return processes.postmaster(target.data_dir)

    try:
        pid = postmaster()
        processes.send(pid, signal.SIGKILL, postmaster)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": "Patroni starts PostgreSQL again"}


def cost(promise):
    """Patroni sees at its next look that PostgreSQL is gone."""
    return promise.crash()
