"""A systemd unit's main process: found, killed, or stopped for a while."""

import signal
import time

from saltroni import processes
from saltroni.faults import FaultError, healer


def found(unit):
    """``(pid, look)`` of the main process of ``unit``; ``look()`` gives its pid anew.

    Raises:
        FaultError: it doesn't run.
    """

    def look():
        return processes.main_pid(unit)

    pid = look()
    if pid is None:
        raise FaultError(f"{unit} doesn't run on this node")
    return pid, look


def _send(pid, number, look):
    try:
        processes.send(pid, number, look)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err


def kill(unit, heals_by):
    """Kill it with -9. Nothing lasts: systemd starts it again, as ``heals_by`` says.

    Returns:
        ``{pid, at_unix, heals_by}``

    Raises:
        FaultError: it doesn't run.
    """
    pid, look = found(unit)
    _send(pid, signal.SIGKILL, look)
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def thaw_command(unit):
    """What ends a freeze. Source: systemctl(1), ``kill --kill-whom=main``."""
    return ["systemctl", "kill", "--kill-whom=main", "--signal=SIGCONT", unit]


def frozen(unit):
    """Whether it is stopped (state ``T``)."""
    pid = processes.main_pid(unit)
    return pid is not None and processes.state(pid) == "T"


def freeze(fault, unit, deadline_s):
    """Stop it, with a timer of systemd that thaws it ``deadline_s`` seconds later.

    Returns:
        ``{pid, at_unix, heals_by}``

    Raises:
        FaultError: it doesn't run, or is frozen already; nothing is changed then.
    """
    pid, look = found(unit)
    if frozen(unit):
        raise FaultError(f"{unit} is frozen already: fault.heal {fault}")
    heals_by = healer.arm(fault, deadline_s, *thaw_command(unit))
    _send(pid, signal.SIGSTOP, look)
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def thaw(fault, unit, must_run=True):
    """Let it go on, and take the timer away.

    Args:
        must_run: whether a unit that doesn't run is an error.
    """
    healer.run(*thaw_command(unit), check=must_run)
    healer.disarm(fault)
    return {"running": not frozen(unit)}
