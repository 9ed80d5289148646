"""The two tools behind the same few functions. Whatever differs between them is in ``walg.py`` and ``pgbackrest.py``."""

from __future__ import annotations  # a method is called "list"

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from saltroni.backup.failure import Failure

FULL, DELTA = "full", "delta"


@dataclass(frozen=True)
class Backup:
    """A base backup in the archive."""

    #: The tool's own name of it.
    id: str
    #: ``full`` or ``delta`` (pgBackRest's diff and incr, too).
    kind: str
    #: The id of the one that a delta rests upon directly, None for a full one.
    base: str | None
    #: When it began and ended, with time zone.
    started: datetime
    finished: datetime
    #: Where in the log it begins and ends; replaying up to ``finish_lsn`` makes it consistent.
    start_lsn: int
    finish_lsn: int
    #: Name of the segment that ``start_lsn`` is in.
    start_segment: str
    timeline: int
    #: Bytes of the database, and bytes in the storage; None if the tool doesn't tell.
    size: int | None
    stored: int | None
    #: The database's system identifier; None if the tool doesn't tell.
    system_id: int | None
    #: Never expired.
    permanent: bool = False

    def row(self):
        """As a dict with nothing but what JSON knows; times are ISO 8601."""
        return {**asdict(self), "started": self.started.isoformat(), "finished": self.finished.isoformat()}


def reads(tool):
    """Whether the archive can be listed and read: tells a storage that is full or damaged from one that is out."""
    try:
        tool.owner()
    except Failure:
        return False
    return True


def unsaid(tool, found):
    """What the refusal of a write means that doesn't say why. A full SeaweedFS and one that has too much to do say the same.

    Args:
        tool: a :class:`Tool`.
        found: the :class:`Failure` by its words.
    """
    if not reads(tool):
        return found
    if tool.takes():
        return Failure("unreachable", f"{found.text}; it takes small files now: it may have had too much to do")
    return Failure("full", f"{found.text}; what is there can be read")


class Tool(Protocol):
    """What both can do. Everything raises :class:`saltroni.backup.failure.Failure`, and ends by a deadline."""

    #: Whether a base backup can be made on a replica.
    from_replica: bool

    def push_wal(self, path: Path) -> None:
        """Archive one file of ``pg_wal``. The same content again is no error; other content is ``differs``."""

    def fetch_wal(self, name: str, target: Path, prefetch: Path | None = None) -> None:
        """Fetch a segment or a history file to ``target``, whole or not at all.

        ``missing`` only if it certainly isn't there. ``prefetch`` is a folder of this recovery alone, in which files
        may be fetched in advance, on the target's file system; None for no such thing.
        """

    def backup(self, full: bool) -> dict:
        """Make a base backup of this node's PostgreSQL: ``{backup, kind, bytes, took_s}``."""

    def list(self) -> list[Backup]:
        """Base backups that are complete, the oldest first; [] for none."""

    def restore(self, backup_id: str, folder: Path, wal_folder: Path | None = None) -> None:
        """A base backup (with those that it rests upon) into an empty folder. No settings for recovery are written.

        ``wal_folder``, an empty folder, becomes the place of ``pg_wal``, which is a link then.
        """

    def verify(self) -> list[dict]:
        """What is missing or damaged: ``[{timeline, start, end, status}]``; [] is well."""

    def segments(self) -> dict[str, datetime]:
        """Names of archived segments and history files, each with the time when it was stored."""

    def history(self, timeline: int) -> str:
        """Text of a timeline's history file."""

    def expire(self, keep_full: int, keep_days: float) -> list[str]:
        """Remove what retention doesn't keep; ids of the backups that are gone."""

    def probe(self) -> None:
        """Prove that our prefix can be listed, written and read now."""

    def takes(self) -> bool:
        """Whether a small file can be written now."""

    def owner(self) -> dict | None:
        """Whose the archive is: ``{system_identifier, cluster, since}``, None if nobody's yet."""

    def claim(self, owner: dict, data_dir: str | None = None) -> None:
        """Write down whose it is: the database of a data directory, this member's own without it."""


def tool(settings) -> Tool:
    """The provider that the settings name.

    Args:
        settings: a :class:`saltroni.backup.settings.Settings`.
    """
    if settings.tool == "walg":
        from saltroni.backup.walg import Walg

        return Walg(settings)
    if settings.tool == "pgbackrest":
        from saltroni.backup.pgbackrest import PgBackRest

        return PgBackRest(settings)
    raise Failure("settings", f"there is no backup tool {settings.tool!r}")
