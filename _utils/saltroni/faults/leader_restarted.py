"""The leader's PostgreSQL is restarted, planned. Source: Patroni's documentation, "Restart endpoint"."""

from saltroni.faults import planned

SUMMARY = "a planned restart of the leader's PostgreSQL"


def unable(target):
    """The password is needed."""
    return planned.unable(target)


def inject(target, deadline_s):
    """Ask this node's Patroni to restart PostgreSQL. Nothing lasts."""
    del deadline_s
    return planned.asked(target, "/restart", {})


def heal(target):
    """Nothing to do: Patroni brings it to its end."""
    return {"running": not active(target)}


def active(target):
    """Never lasts."""
    del target
    return False


def cost(promise):
    """It stays leader."""
    return promise.restart()
