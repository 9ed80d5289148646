"""Suites on the master's disk: one JSON file each, durable after every step, and one suite at a time for a cluster."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

from saltroni import clusters, locks

FOLDER = "suites"


class ShelfError(RuntimeError):
    """A suite can't be read, or another one runs; the text says which."""


class Shelf:
    """The suites of one cluster.

    Args:
        folder: what the master keeps for the cluster.
    """

    def __init__(self, folder):
        self.folder = Path(folder) / FOLDER

    def path(self, suite):
        """The suite's file."""
        return self.folder / f"{suite}.json"

    def keep(self, state):
        """Write a suite's state, whole or not at all, and on the disk when this returns.

        Raises:
            OSError
        """
        clusters.write(self.path(state["suite"]), json.dumps(state, indent=1) + "\n")

    def read(self, suite):
        """A suite's state.

        Raises:
            ShelfError: there is none, or it is damaged.
        """
        try:
            return json.loads(self.path(suite).read_text(encoding="utf-8"))
        except (OSError, ValueError) as err:
            raise ShelfError(f"{self.path(suite)} can't be read: {err}") from err

    def names(self):
        """All suites, the oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def latest(self):
        """State of the newest suite, None if there is none."""
        found = self.names()
        return self.read(found[-1]) if found else None

    def unfinished(self):
        """State of the newest suite, which must have something left to do.

        Raises:
            ShelfError: nothing is left.
        """
        state = self.latest()
        if state is None:
            raise ShelfError("no suite has been begun: leave resume out")
        left = [fault for fault in state["asked"]["faults"] if fault not in state["done"]]
        if not left:
            raise ShelfError(f"suite {state['suite']} is over, nothing is left of it: leave resume out")
        return state

    @contextlib.contextmanager
    def alone(self):
        """Keep others away while the block runs; a process that is killed does so no more.

        Raises:
            ShelfError: a suite runs.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.attempt(self.folder / "lock") as mine:
            if not mine:
                raise ShelfError("a suite runs in this cluster already")
            yield


def fresh(now=None):
    """An id for a suite that begins now: ids sort as the suites began."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
