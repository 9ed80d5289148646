"""A copy of the cluster's database in a folder of its own, from the archive alone: fetched, then recovered to a moment."""

import contextlib
import shlex
import shutil
import sys
import time
from pathlib import Path

from saltroni.backup import fetch, private, recovery, tools
from saltroni.backup.failure import Failure
from saltroni.backup.settings import load

#: What a recovery may need beside the base backup: WAL that it goes through (bytes).
WAL_BYTES = 512 * 2**20
SHARE = 1.2
#: What ``restore_command`` calls: this very Python.
FETCH = (sys.executable, "-B", "-m", "saltroni.backup")


def needed_bytes(size):
    """Free space that a copy of a database of ``size`` bytes needs. Pure."""
    return int(size * SHARE) + WAL_BYTES


def free_bytes(path):
    """Free bytes of the file system that a folder is on, or would be."""
    path = Path(path)
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


class Copy:
    """One copy.

    Args:
        settings_file: the settings of the archive, see :mod:`saltroni.backup.settings`.
        folder: where the server's socket and log are, 0700, postgres's own.
        data: the data directory, that will be made; ``folder``/data without it.
        wal: the place of ``pg_wal``, if that is elsewhere.
        tool: for tests; what the settings name without it.
    """

    def __init__(self, settings_file, folder, data=None, wal=None, tool=None):
        self.settings_file = str(settings_file)
        self.settings = load(settings_file)
        self.tool = tool or tools.tool(self.settings)
        self.folder = Path(folder)
        self.data = Path(data or self.folder / "data")
        self.wal = Path(wal) if wal else None
        self.run = self.folder / "run"
        self.prefetch = self.folder / "prefetch"
        self.server = private.Server(self.settings.programs, self.data, self.run)

    def fetch(self, backup):
        """Fetch a base backup; seconds that it took.

        Raises:
            Failure
        """
        begun = time.monotonic()
        self.tool.restore(backup, self.data, self.wal)
        return time.monotonic() - begun

    def control(self):
        """What the copy's control file says."""
        return private.controldata(self.settings.programs, self.data)

    def restore_command(self):
        """Tells PostgreSQL a missing file from an archive that can't be read, and from a Python that can't even begin."""
        command = [*FETCH, "--settings", self.settings_file, "fetch", "--strict", "--prefetch", str(self.prefetch)]
        codes = f"case $? in {fetch.FOUND}) exit 0 ;; {fetch.MISSING}) exit 1 ;; *) exit {fetch.STOP} ;; esac"
        return f'{shlex.join(command).replace("%", "%%")} %f "%p"; {codes}'

    def start(self, target, timeline=None, action="promote", careless=False, signal=True):
        """Start the recovery.

        Args:
            target: a :class:`saltroni.backup.target.Target`.
            timeline, action, careless: see :func:`saltroni.backup.recovery.settings`.
            signal: whether it shall recover from the archive; if not, only what a crash left.
        """
        for folder in (self.folder, self.run, self.prefetch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        recovery.prepare(self.data, signal)
        made = recovery.settings(
            self.settings.major, self.control(), target, self.restore_command(), self.run, self.server.hba, careless,
            action, timeline, recovery.preloaded(*recovery.texts(self.data)),
        )  # fmt: skip
        self.server.start(made)

    @contextlib.contextmanager
    def recovered(self, target, deadline_s, timeline=None, careless=False, signal=True):
        """The server, out of recovery, while the block runs; it is stopped in order afterwards.

        Raises:
            Failure
        """
        try:
            self.start(target, timeline, "promote", careless, signal)
            self.server.await_promoted(deadline_s)
            yield self.server
        finally:
            self.server.stop()

    def stopped_in_order(self):
        """The control data after the end.

        Raises:
            Failure: it wasn't stopped in order.
        """
        found = self.control()
        if not found.stopped:
            raise Failure("database", f"the private server of {self.data} wasn't stopped in order: {found.state}")
        return found
