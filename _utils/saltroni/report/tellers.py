"""Nodes that tell their state runs themselves, from their spools, with their keys.

What stands on Salt's event bus or in its job cache proves nothing: any minion may put a return there in another's name
(Salt 3008, ``salt/master.py``: ``_return`` takes ``resource_id`` and ``_syndic_return`` takes ``id`` as they come). It is
believed only of a node whose minion has never told a run itself: its first ones, while the returner isn't in force there.
"""

import re
from pathlib import Path

FOLDER = "tellers"
NODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$")


def mark(folder, node):
    """Remember that the minion of ``node`` has told a state run from its spool.

    Args:
        folder: the cluster's folder on the master.

    Raises:
        OSError
    """
    path = _path(folder, node)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)


def tells(folder, node):
    """Whether ``node`` has told one."""
    return _path(folder, node).exists()


def _path(folder, node):
    if not NODE.match(node):
        raise ValueError(f"{node[:100]!r} is no node's name")
    return Path(folder) / FOLDER / node
