"""Leadership is handed over, planned. Source: Patroni's documentation, "Switchover and failover endpoints"."""

from saltroni.faults import planned

SUMMARY = "a planned switchover"


def unable(target):
    """The password is needed."""
    return planned.unable(target)


def inject(target, deadline_s):
    """Ask this node's Patroni, which leads, to hand over. Nothing lasts."""
    del deadline_s
    return planned.asked(target, "/switchover", {"leader": target.model["self"]["name"]})


def cost(promise):
    """Patroni's own steps."""
    return promise.planned()
