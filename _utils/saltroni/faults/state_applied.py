"""``state.apply`` runs on a node, as when somebody rolls out a change while something else breaks.

Source: systemd-run(1); it is a service of its own, so that nobody waits for it.
"""

import shutil
import sys
import time
from pathlib import Path

from saltroni.faults import FaultError, healer
from saltroni.wait import DeadlineError, NotYet, until

SUMMARY = "state.apply runs"
NAME = "state_applied"
ROLE = None
AIM = "all nodes"
ENDS_BY_ITSELF = True
UNIT = "saltroni-fault-state-applied.service"
#: A run that takes longer (seconds) is ended.
LONGEST_S = 600


def _program():
    beside = Path(sys.executable).with_name("salt-call")
    return str(beside) if beside.exists() else shutil.which("salt-call")


def unable(target):
    """It needs salt-call."""
    del target
    return None if _program() else "there is no salt-call beside the minion's Python, and none in PATH"


def inject(target, deadline_s):
    """Begin; it ends by itself."""
    del deadline_s
    if active(target):
        raise FaultError("a state.apply of a drill still runs here")
    healer.run(
        "systemd-run", f"--unit={UNIT}", "--collect", "--quiet", f"--property=RuntimeMaxSec={LONGEST_S}",
        "--property=StandardOutput=null",  # what came of it the report tells
        _program(), "--retcode-passthrough", "--log-level=error", "state.apply",
    )  # fmt: skip
    return {"at_unix": time.time(), "heals_by": "it ends by itself"}


def heal(target):
    """Wait until it has ended: half a state.apply is worse than a whole one."""

    def ended():
        if active(target):
            raise NotYet("it runs")

    try:
        until(ended, "state.apply to end", 300, every_s=1)
    except DeadlineError as err:
        raise FaultError(f"{err}: systemctl status {UNIT}") from err
    return {"running": True}


def active(target):
    """Whether it runs."""
    del target
    return healer.run("systemctl", "is-active", UNIT, check=False).strip() in ("active", "activating")


def cost(promise):
    """state.apply never restarts PostgreSQL, Patroni or etcd."""
    return promise.nothing()
