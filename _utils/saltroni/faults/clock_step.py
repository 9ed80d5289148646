"""The node's clock jumps ahead and, a while later, back.

Time synchronisation is stopped meanwhile, or it would put the clock right at a moment of its own. The way back doesn't
trust the clock: the time since boot, which no step changes, says what time it is. A reboot reads the machine's own
clock, which was never touched.

No drill of ours has shown its cost yet: the lab's nodes are containers, whose clock is the host's.

Source: clock_gettime(2), ``CLOCK_BOOTTIME``; capabilities(7), ``CAP_SYS_TIME``.
"""

import time
from pathlib import Path

from saltroni.faults import FaultError, healer

SUMMARY = "the node's clock jumps 30 s ahead, and back"
NAME = "clock_step"
ROLE = None
NEEDS = "a clock of its own (no container), CAP_SYS_TIME"
LASTS_S = 30.0
STEP_S = 30.0

CAP_SYS_TIME = 25
SYNCHRONISERS = ("systemd-timesyncd", "chrony", "ntpsec", "openntpd")
SCRIPT = "/run/saltroni/clock-back"

_SCRIPT = """#!/bin/sh
# Made by a drill: puts the clock right, by the time since boot.
[ -e {script} ] || exit 0
date --set="@$(awk '{{printf "%.2f", $1 + {booted_unix:.3f}}}' /proc/uptime)" >/dev/null
rm -f {script}
{start}
"""


def back(booted_unix, units, script=SCRIPT):
    """The script that puts the clock right and starts time synchronisation again.

    Args:
        booted_unix: what the clock would have said at boot.
        units: those that were stopped.
    """
    start = f"systemctl start {' '.join(units)}" if units else ""
    return _SCRIPT.format(script=script, booted_unix=booted_unix, start=start)


def _undo():
    return ["/bin/sh", SCRIPT]


def inject(target, deadline_s):
    """Step the clock; a timer, which counts by the time since boot, steps it back."""
    if active(target):
        raise FaultError(f"it lasts already: fault.heal {NAME}")
    running = [
        unit for unit in SYNCHRONISERS if healer.run("systemctl", "is-active", unit, check=False).strip() == "active"
    ]
    script = Path(SCRIPT)
    script.parent.mkdir(exist_ok=True)
    script.write_text(back(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), running), encoding="utf-8")
    heals_by = healer.arm(NAME, deadline_s, *_undo())
    for unit in running:
        healer.run("systemctl", "stop", unit)
    at = time.time()
    time.clock_settime(time.CLOCK_REALTIME, at + STEP_S)
    # told by the clock as it was: the drill compared it with its own before
    return {"at_unix": at, "heals_by": heals_by}


def heal(target):
    """Put the clock right."""
    if active(target):
        healer.run(*_undo())
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether the clock is wrong by us."""
    del target
    return Path(SCRIPT).exists()


def unable(target):
    """A container's clock is its host's, which is somebody else's."""
    del target
    container = healer.run("systemd-detect-virt", "--container", check=False).strip()
    if container not in ("", "none"):
        return f"it is a container ({container}): its clock is the host's"
    if not may_set(Path("/proc/self/status").read_text(encoding="utf-8")):
        return "this process may not set the clock (CAP_SYS_TIME)"
    return None


def may_set(status):
    """Whether a process whose ``/proc/pid/status`` this is may set the clock."""
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> CAP_SYS_TIME & 1)


def cost(promise):
    """Patroni's own idea of how long it leads goes by the clock: a round may pass until it knows again."""
    return promise.in_place()
