"""Planned: the leader's Patroni is restarted, as an upgrade of it does; it hands over in good order first.

Source: Patroni's ``ha.py``, ``shutdown``: PostgreSQL is stopped, its last record shipped, the lease given up.
"""

import time

from saltroni.faults import FaultError, healer
from saltroni.patroni import changes

SUMMARY = "Patroni is restarted on the leader, which hands over in good order"


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
    """As a switchover, in which nobody sleeps before it follows; but the others may wait for the one that starts again."""
    return promise.left_in_order()
