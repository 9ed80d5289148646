"""Patroni and PostgreSQL die together and stay down, as on a node that loses both to the out-of-memory killer.

Nobody gives the lease back; the node itself answers, with refusals.
"""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, kept_down, lease

SUMMARY = "kill -9 of Patroni and the postmaster, both kept down"
NAME = "patroni_and_postgres_killed"
lasts_s, visible_after_s = lease.outlasts_s, lease.over_s


def inject(target, deadline_s):
    """Kill both; the healer's timer lets Patroni start again after ``deadline_s`` seconds, and Patroni PostgreSQL."""

    def postmaster():
        return processes.postmaster(target.data_dir)

    try:
        pid = postmaster()
        done = kept_down.make(NAME, target.unit, deadline_s)
        processes.send(pid, signal.SIGKILL, postmaster)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {**done, "postmaster": pid, "at_unix": time.time()}


def heal(target):
    """Let Patroni start again."""
    return kept_down.lift(NAME, target.unit)


def active(target):
    """Whether Patroni is kept down."""
    return kept_down.active(NAME, target.unit)


def cost(promise):
    """The lease must end; the node refuses connections, so nobody waits for its answer."""
    return promise.lease_end(silent=False)
