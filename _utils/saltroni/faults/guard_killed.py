"""The lease guard dies at once."""

from saltroni.faults import main_process

SUMMARY = "kill -9 of the lease guard on the leader"
UNIT = "saltroni-guard.service"


def inject(target, deadline_s):
    """Kill it. Nothing lasts: systemd starts it again."""
    del target, deadline_s
    return main_process.kill(UNIT, "systemd starts it again")


def unable(target):
    """Only where there is one."""
    return None if target.model["guard"]["enabled"] else "saltroni:guard:enabled is false, there is no lease guard"


def visible_after_s(model):
    """Long enough for harm that it might do: a lease would have ended."""
    return float(model["timings"]["ttl_s"])


def cost(promise):
    """PostgreSQL and Patroni don't need it."""
    return promise.nothing()
