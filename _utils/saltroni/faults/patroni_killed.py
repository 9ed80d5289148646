"""Patroni's main process dies alone; PostgreSQL runs on, systemd starts Patroni again.

HAProxy asks Patroni and gets a refusal meanwhile: it lets go of a leader that is well, and takes it back.
"""

from saltroni.faults import main_process

SUMMARY = "kill -9 of Patroni alone, systemd starts it again"


def inject(target, deadline_s):
    """Kill it. Nothing lasts: systemd heals it."""
    del deadline_s
    return main_process.kill(target.unit, "systemd starts Patroni again")


def cost(promise):
    """The leader stays, and can't be asked until Patroni runs again."""
    return promise.agent_restarts()
