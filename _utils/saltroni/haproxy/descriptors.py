"""How many connections HAProxy can hold with the file descriptors that a node grants.

HAProxy needs two descriptors a connection (client's and server's) and some for itself: listeners, checks, pollers,
pipes. It refuses to start when ``maxconn`` wants more than it may open (configuration manual, ``maxconn`` in
"global", and ``ulimit-n``). About 2 x maxconn + 57 were seen with 100000 connections and no checks; 100 leaves room.
"""

import re
import subprocess
from pathlib import Path

OWN = 100
UNLIMITED = 2**63


def connections(descriptors):
    """Connections that ``descriptors`` suffice for."""
    return max(0, (descriptors - OWN) // 2)


def of_process(limits):
    """Hard limit of open files in the text of ``/proc/<pid>/limits``.

    Raises:
        ValueError: no such line.
    """
    found = re.search(r"^Max open files\s+\S+\s+(\S+)", limits, re.MULTILINE)
    if not found:
        raise ValueError("no line 'Max open files'")
    return UNLIMITED if found.group(1) == "unlimited" else int(found.group(1))


def of_unit(unit):
    """``LimitNOFILE`` that systemd has for ``unit``, the default where the unit isn't there yet."""
    shown = subprocess.run(
        ["systemctl", "show", "--property=LimitNOFILE", "--value", unit],
        capture_output=True, text=True, timeout=10, check=False,
    ).stdout.strip()  # fmt: skip
    return int(shown) if shown.isdigit() else UNLIMITED


def granted(unit="haproxy.service"):
    """Descriptors that a service can get on this node.

    systemd gives what the unit says, but in a container never more than process 1 was given itself.
    """
    return min(of_process(Path("/proc/1/limits").read_text(encoding="ascii")), of_unit(unit))
