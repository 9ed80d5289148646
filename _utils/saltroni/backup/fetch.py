"""``restore_command``: one file out of the archive.

PostgreSQL takes every exit code from 1 to 125 for "there is no such file", and at the end of the log it promotes: a
storage that doesn't answer would look like the end, and the last commits would be lost. So there are two manners:

* strict, for whatever is restored: only a file that certainly isn't there is "missing", all else is 255, which stops
  PostgreSQL.
* else, for a member that follows a leader: all else is 2. It goes on by streaming and asks again; its end is the leader's
  word, not the archive's.

Source: PostgreSQL's documentation, *Recovering Using a Continuous Archive Backup*; ``RestoreArchivedFile``.
"""

import os
from pathlib import Path

from saltroni.backup import owner, wal
from saltroni.backup.failure import Failure

#: Python itself ends with 1 when it can't even begin, which must never be taken for "missing": the script that
#: PostgreSQL calls makes 1 of :data:`MISSING`, and 255 or 2 of whatever it doesn't know.
FOUND, MISSING, FAILED, STOP = 0, 10, 2, 255


def target(settings, told, folder=None):
    """The path that ``%p`` means: PostgreSQL calls from the data directory that it recovers, which may be another one."""
    path = Path(told)
    if path.is_absolute():
        return path
    folder = Path(folder or os.getcwd())  # noqa: PTH109
    return (folder if (folder / "PG_VERSION").exists() else Path(settings.data_dir)) / path


def fetch(settings, tool, name, told, strict, prefetch=None):
    """Fetch a file.

    Args:
        settings: this node's.
        tool: its :class:`saltroni.backup.tools.Tool`.
        name: PostgreSQL's ``%f``.
        told: its ``%p``.
        strict: see above.
        prefetch: a folder of this recovery alone for files that are fetched in advance; None for none.

    Returns:
        ``(exit code, Failure or None)``
    """
    path = target(settings, told)
    try:
        if wal.kind(name) is None:
            raise Failure("other", f"{name} is no file of the write-ahead log")
        if not strict:
            owner.ours(settings, tool)
        try:
            tool.fetch_wal(name, path, prefetch)
        except Failure as err:
            if err.kind == "missing" and strict:
                owner.present(settings, tool)
            raise
    except Failure as err:
        if err.kind == "missing":
            return MISSING, err
        return (STOP if strict else FAILED), err
    return FOUND, None
