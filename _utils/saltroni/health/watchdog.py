"""Whether this node's watchdog is really armed: held open by Patroni's own process.

Source: Patroni's documentation, *Watchdog support*: the leader opens the device, nobody else does.
"""

from pathlib import Path

from saltroni import processes

DEVICE = "/dev/watchdog"
UNIT = "patroni.service"


def look(device=DEVICE, unit=UNIT):
    """``{device, exists, held}`` of this node; ``held`` is None where Patroni doesn't run."""
    pid = processes.main_pid(unit)
    held = None
    if pid:
        try:
            held = any(path.startswith(device) for path in processes.opened(pid))
        except processes.ProcessError:
            held = None
    return {"device": device, "exists": Path(device).exists(), "held": held}
