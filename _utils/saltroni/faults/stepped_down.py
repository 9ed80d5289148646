"""Planned: the leader's Patroni is restarted, which hands over in good order, as ``patroni.step_down`` does."""

import time

from saltroni.faults import FaultError, healer
from saltroni.patroni import changes

SUMMARY = "hand-over by restarting Patroni on the leader"


def inject(target, deadline_s):
    """Begin it; the drill watches what comes of it. Nothing lasts."""
    del deadline_s, target
    try:
        changes.checkpoint(20)
    except changes.Refused as err:
        raise FaultError(str(err)) from err
    at = time.time()
    healer.run("systemctl", "restart", "--no-block", "patroni")
    return {"at_unix": at, "heals_by": "Patroni itself: systemd starts it again"}


def cost(promise):
    """As a switchover, and nobody sleeps before it follows."""
    return promise.stepped_down()
