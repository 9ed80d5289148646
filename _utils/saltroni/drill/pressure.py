"""How busy this machine's processors were: a drill on a starved machine measures the machine.

Source: the kernel's documentation, *PSI - Pressure Stall Information*: ``some ... total=`` is the time, in microseconds, in
which at least one task waited for a processor. A container shows its host's.
"""

import time
from pathlib import Path

CPU = Path("/proc/pressure/cpu")


def waited_s(text):
    """The total of ``some`` in seconds; None if it isn't there. Pure."""
    for line in text.splitlines():
        kind, *fields = line.split()
        if kind == "some":
            return int(dict(field.split("=") for field in fields)["total"]) / 1e6
    return None


class Meter:
    """The share of time, from now on, in which somebody waited for a processor of this machine."""

    def __init__(self, path=CPU, clock=time.monotonic):
        self._path, self._clock = path, clock
        self._since, self._waited_s = clock(), self._read()

    def share(self):
        """0 to 1; None where the kernel doesn't tell."""
        waited_s, passed_s = self._read(), self._clock() - self._since
        if None in (waited_s, self._waited_s) or passed_s <= 0:
            return None
        return round(min(1.0, (waited_s - self._waited_s) / passed_s), 2)

    def _read(self):
        try:
            return waited_s(self._path.read_text(encoding="ascii"))
        except OSError:
            return None
