"""A service killed and kept from starting until it heals: what ``Restart=always`` would bring back at once.

A drop-in in ``/run`` sets a condition that never holds, so that neither systemd nor a person's ``systemctl start``
brings the service back; a reboot forgets it. It is one of the service (``ExecCondition=``): those of the unit aren't
looked at when a service restarts by itself, as it counts as activating meanwhile (systemd, ``src/core/unit.c``).

Sources: systemd.service(5), ``ExecCondition=``; systemctl(1), ``daemon-reload``.
"""

import signal
import time
from pathlib import Path

from saltroni import processes
from saltroni.faults import FaultError, healer, main_process

RUNTIME = "/run/systemd/system"
ETCD = "etcd.service"
CONDITION = "[Service]\nExecCondition=/bin/false\n"
_LIFT = (
    'rm -f "$1"; rmdir --ignore-fail-on-non-empty "$(dirname "$1")"; systemctl daemon-reload; '
    'systemctl reset-failed "$2"; exec systemctl start --no-block "$2"'
)


def drop_in(fault, unit, runtime=RUNTIME):
    """The file that keeps ``unit`` down."""
    return Path(runtime, f"{unit}.d", f"saltroni-{fault.replace('_', '-')}.conf")


def lift_command(fault, unit):
    """What ends it; harmless when there is none."""
    return ["sh", "-c", _LIFT, "heal", str(drop_in(fault, unit)), unit]


def make(fault, unit, deadline_s):
    """Kill the main process of ``unit`` with -9 and keep it from starting for ``deadline_s`` seconds.

    Returns:
        ``{pid, at_unix, heals_by}``

    Raises:
        FaultError: it doesn't run, or is kept down already; nothing is changed then.
    """
    if active(fault, unit):
        raise FaultError(f"{unit} is kept down already: fault.heal {fault}")
    pid, look = main_process.found(unit)
    heals_by = healer.arm(fault, deadline_s, *lift_command(fault, unit))
    path = drop_in(fault, unit)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONDITION, encoding="utf-8")
        healer.run("systemctl", "daemon-reload")
        processes.send(pid, signal.SIGKILL, look)
    except (OSError, FaultError, processes.ProcessError) as err:
        lift(fault, unit)
        raise FaultError(str(err)) from err
    return {"pid": pid, "at_unix": time.time(), "heals_by": heals_by}


def lift(fault, unit):
    """Let ``unit`` run again, and take the timer away."""
    healer.run(*lift_command(fault, unit))
    healer.disarm(fault)
    return {"running": not active(fault, unit)}


def active(fault, unit):
    """Whether the drop-in is there."""
    return drop_in(fault, unit).exists()


def etcd(fault):
    """``inject``, ``heal`` and ``active`` of a fault that keeps this node's etcd down."""

    def inject(target, deadline_s):
        del target
        return make(fault, ETCD, deadline_s)

    def heal(target):
        del target
        return lift(fault, ETCD)

    def is_active(target):
        del target
        return active(fault, ETCD)

    return inject, heal, is_active
