"""The server processes of a drill's own clients, found by what PostgreSQL calls them.

Source: PostgreSQL's documentation, *Standard Unix Tools*: ``postgres: [cluster_name: ]user database host(port) activity``.
"""

import re
from pathlib import Path

from saltroni import processes
from saltroni.drill.database import USER

_TITLE = re.compile(rf"postgres: (?:\S+: )?{USER} {USER} \S+\(\d+\)")


def of_drill(postmaster, proc="/proc"):
    """Pids of the backends that serve the drill's clients.

    Args:
        postmaster: their parent's pid.
    """
    found = []
    for pid in processes.pids(proc):
        try:
            title = Path(proc, str(pid), "cmdline").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if _TITLE.match(title) and processes.parent(pid, proc) == postmaster:
            found.append(pid)
    return sorted(found)
