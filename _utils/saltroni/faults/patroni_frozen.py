"""Patroni's main process stops and keeps everything it holds, as on a machine that swaps or a stalled disk.

The lease runs out while PostgreSQL still writes. What ends that is HAProxy (it gets no answer), the lease guard and a
watchdog.
"""

from saltroni.faults import lease, main_process

SUMMARY = "SIGSTOP of Patroni, PostgreSQL runs on"
NAME = "patroni_frozen"
WRITES_DIRECTLY = True
lasts_s, visible_after_s = lease.outlasts_s, lease.over_s


def inject(target, deadline_s):
    """Freeze Patroni; a timer of systemd thaws it after ``deadline_s`` seconds, whatever happens to us."""
    return main_process.freeze(NAME, target.unit, deadline_s)


def heal(target):
    """Thaw Patroni and take the timer away."""
    return main_process.thaw(NAME, target.unit)


def active(target):
    """Whether Patroni is stopped."""
    return main_process.frozen(target.unit)


def cost(promise):
    """Nobody gives the lease back."""
    return promise.lease_end()
