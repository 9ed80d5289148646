"""Patroni freezes and nobody feeds the watchdog: the machine is reset before the lease ends.

Source: Patroni's documentation, *Watchdog support*.
"""

from saltroni.faults import patroni_frozen
from saltroni.health import watchdog

SUMMARY = "SIGSTOP of Patroni until the watchdog resets the machine"
TAKES_NODE = True
NEEDS = "a watchdog that Patroni holds open"

#: A timer thaws Patroni if no reset comes.
inject, heal = patroni_frozen.inject, patroni_frozen.heal
lasts_s, visible_after_s = patroni_frozen.lasts_s, patroni_frozen.visible_after_s


def active(target):
    """Whether Patroni is frozen while a watchdog waits for it."""
    return bool(watchdog.look(unit=target.unit)["held"]) and patroni_frozen.active(target)


def unable(target):
    """Why this machine can't, or None."""
    found = watchdog.look(unit=target.unit)
    if not found["exists"]:
        return f"it has no {found['device']}"
    if not found["held"]:
        return f"Patroni doesn't hold {found['device']} open here: only the leader does, with patroni:watchdog set"
    return None


def cost(promise):
    """Nobody gives the lease back, and the machine is gone when it ends."""
    return promise.lease_end()
