"""PostgreSQL dies and can't start again: another program has taken its port meanwhile.

Source: systemd.service(5), ``RuntimeMaxSec=``; systemd-run(1).
"""

import signal
import sys
import time
from pathlib import Path

from saltroni import processes
from saltroni.faults import FaultError, healer, port_holder
from saltroni.wait import DeadlineError, NotYet, until

SUMMARY = "kill -9 of the postmaster, and its port is taken by another program"
NAME = "postgres_port_taken"
HOLDER = "saltroni-fault-port-taken.service"
LASTS_S = 20
#: How long the other program waits for the port (seconds).
PATIENCE_S = 10


def _state():
    return healer.run("systemctl", "is-active", HOLDER, check=False).strip()


def _hold(port, deadline_s):
    program = Path(__file__).with_name("port_holder.py")
    healer.run(
        "systemd-run", f"--unit={HOLDER}", "--collect", "--quiet", "--no-block", "--service-type=notify",
        f"--property=TimeoutStartSec={PATIENCE_S}", f"--property=RuntimeMaxSec={float(deadline_s):g}s",
        sys.executable, str(program), str(port), str(PATIENCE_S),
    )  # fmt: skip


def _waits():
    seen = healer.run("systemctl", "show", "--property=StatusText", "--value", HOLDER, check=False).strip()
    if seen != port_holder.WAITS:
        raise NotYet(f"it is {_state()}: {seen or 'it has said nothing yet'}")


def _holds():
    seen = _state()
    if seen != "active":
        raise NotYet(f"it is {seen}")


def inject(target, deadline_s):
    """Have a program wait for the port, kill the postmaster, and see that the program got the port."""

    def postmaster():
        return processes.postmaster(target.data_dir)

    if active(target):
        raise FaultError(f"the port is taken already: fault.heal {NAME}")
    try:
        pid = postmaster()
        heals_by = healer.arm(NAME, deadline_s, "systemctl", "stop", HOLDER)
        _hold(target.model["postgresql"]["port"], deadline_s)
        until(_waits, f"{HOLDER} to wait for the port", 5, every_s=0.05)
        processes.send(pid, signal.SIGKILL, postmaster)
        at = time.time()
        until(_holds, f"{HOLDER} to take the port", PATIENCE_S, every_s=0.05)
    except (processes.ProcessError, DeadlineError) as err:
        heal(target)
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": at, "heals_by": heals_by}


def heal(target):
    """Give the port back."""
    healer.run("systemctl", "stop", HOLDER, check=False)
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether the other program runs."""
    del target
    return _state() in ("active", "activating")


def cost(promise):
    """As of a crash; the old leader can't recover in place."""
    return promise.crash()
