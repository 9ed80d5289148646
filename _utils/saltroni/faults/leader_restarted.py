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


def cost(promise):
    """It stays leader."""
    return promise.restart()
