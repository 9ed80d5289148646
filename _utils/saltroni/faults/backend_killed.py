"""One server process of a client dies as by the kernel's out-of-memory killer.

PostgreSQL's postmaster can't trust the shared memory any more: it ends all sessions and recovers in place. Patroni fails
over when that takes longer than its patience.

Source: PostgreSQL's documentation, ``restart_after_crash``.
"""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, backends

SUMMARY = "kill -9 of one backend: PostgreSQL ends all sessions and recovers in place"


def inject(target, deadline_s):
    """Kill a backend that serves the drill. Nothing lasts: the postmaster heals it."""
    del deadline_s
    try:
        postmaster = processes.postmaster(target.data_dir)
        serving = backends.of_drill(postmaster)
        if not serving:
            raise FaultError("no client of a drill is connected to this node: there is no backend to kill")
        pid = serving[0]
        processes.send(pid, signal.SIGKILL, lambda: pid if pid in backends.of_drill(postmaster) else None)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": "the postmaster recovers by itself"}


def cost(promise):
    """The postmaster notices at once; nobody else has to unless it takes long."""
    return promise.sessions_lost()
