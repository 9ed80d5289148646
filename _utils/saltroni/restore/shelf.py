"""Restores on the master's disk: one JSON file each, durable after every step, and one at a time for a cluster."""

import contextlib
import json
from pathlib import Path

from saltroni import clusters, locks
from saltroni.restore import course

FOLDER = "restores"


class ShelfError(RuntimeError):
    """A restore can't be read, or another one runs; the text says which."""


class Shelf:
    """The restores of one cluster.

    Args:
        folder: what the master keeps for the cluster.
    """

    def __init__(self, folder):
        self.folder = Path(folder) / FOLDER

    def path(self, restore):
        """The restore's file."""
        return self.folder / f"{restore}.json"

    def keep(self, state):
        """Write a restore's state, whole or not at all, and on the disk when this returns."""
        clusters.write(self.path(state["restore"]), json.dumps(state, indent=1) + "\n")

    def read(self, restore):
        """A restore's state.

        Raises:
            ShelfError: there is none, or it is damaged.
        """
        try:
            return json.loads(self.path(restore).read_text(encoding="utf-8"))
        except (OSError, ValueError) as err:
            raise ShelfError(f"{self.path(restore)} can't be read: {err}") from err

    def names(self):
        """All restores, the oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def all(self):
        """The states of all, the oldest first."""
        return [self.read(name) for name in self.names()]

    def unfinished(self):
        """The state of the restore that isn't over, None without one."""
        return next((state for state in self.all() if not course.over(state)), None)

    def chosen(self, restore=None):
        """The state of the restore that is named, or else of the newest.

        Raises:
            ShelfError: there is none.
        """
        names = self.names()
        if restore is None and not names:
            raise ShelfError("no restore has been begun")
        return self.read(restore or names[-1])

    @contextlib.contextmanager
    def alone(self):
        """Keep others away while the block runs; a process that is killed does so no more.

        Raises:
            ShelfError: one runs.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.attempt(self.folder / "lock") as mine:
            if not mine:
                raise ShelfError(
                    "a restore of this cluster is under way in another process: restore.show tells how far it is"
                )
            yield
