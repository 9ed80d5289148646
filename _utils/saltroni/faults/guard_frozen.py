"""The lease guard stops and keeps everything it holds. systemd's watchdog ends it, and starts another."""

from saltroni.faults import guard_killed, main_process

SUMMARY = "SIGSTOP of the lease guard on the leader"
NAME = "guard_frozen"
UNIT, unable = guard_killed.UNIT, guard_killed.unable


def inject(target, deadline_s):
    """Freeze it; a timer of systemd thaws it after ``deadline_s`` seconds, should its watchdog not have ended it."""
    del target
    return main_process.freeze(NAME, UNIT, deadline_s)


def heal(target):
    """Thaw it and take the timer away; systemd's watchdog may have ended it."""
    del target
    return main_process.thaw(NAME, UNIT, must_run=False)


def active(target):
    """Whether it is stopped."""
    del target
    return main_process.frozen(UNIT)


def lasts_s(model):
    """Longer than a lease lives: what it knew before is worth nothing then."""
    return float(model["timings"]["ttl_s"] + 5)


def cost(promise):
    """PostgreSQL and Patroni don't need it."""
    return promise.nothing()
