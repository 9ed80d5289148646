"""``restore_command``: one file out of the archive.

PostgreSQL takes every exit code from 1 to 125 for "there is no such file", and at the end of the log it promotes: a
storage that doesn't answer would look like the end, and the last commits would be lost. So there are two manners:

* strict, for whatever is restored: only a file that certainly isn't there is "missing", all else is 255, which stops
  PostgreSQL.
* else, for a member that follows a leader: all else is 2. It goes on by streaming and asks again; its end is the leader's
  word, not the archive's. A promotion waits for three or four answers of the archive: so each has a short deadline, and a
  storage that has just failed isn't asked again for a while.

Source: PostgreSQL's documentation, *Recovering Using a Continuous Archive Backup*; ``RestoreArchivedFile``.
"""

import dataclasses
import os
import sys
import time
from pathlib import Path

from saltroni.backup import owner, remembered, wal
from saltroni.backup.failure import Failure

#: Python itself ends with 1 when it can't even begin, which must never be taken for "missing": the script that
#: PostgreSQL calls makes 1 of :data:`MISSING`, and 255 or 2 of whatever it doesn't know.
FOUND, MISSING, FAILED, STOP = 0, 10, 2, 255
#: How long a member doesn't ask a storage that has failed (seconds): longer than a promotion's questions take.
REST_S = 20


def target(settings, told, folder=None):
    """The path that ``%p`` means: PostgreSQL calls from the data directory that it recovers, which may be another one."""
    path = Path(told)
    if path.is_absolute():
        return path
    folder = Path(folder or os.getcwd())  # noqa: PTH109
    return (folder if (folder / "PG_VERSION").exists() else Path(settings.data_dir)) / path


def hurried(settings):
    """The settings with the short deadlines of a member that follows a leader."""
    most = settings.follow_timeout_s
    return dataclasses.replace(
        settings,
        fetch_timeout_s=min(most, settings.fetch_timeout_s),
        list_timeout_s=min(most, settings.list_timeout_s),
    )


def _failed(settings):
    return settings.state / "fetch.json"


def _remember(settings, now):
    try:
        remembered.write(_failed(settings), {"failed_unix": now})
    except OSError as err:
        print(f"saltroni: {_failed(settings)} can't be written: {err}", file=sys.stderr)


def fetch(settings, tool, name, told, strict, prefetch=None, now=time.time):
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
        if strict:
            _restored(settings, tool, name, path, prefetch)
        else:
            _following(settings, tool, name, path, prefetch, now)
    except Failure as err:
        if err.kind == "missing":
            return MISSING, err
        return (STOP if strict else FAILED), err
    return FOUND, None


def _restored(settings, tool, name, path, prefetch):
    try:
        tool.fetch_wal(name, path, prefetch)
    except Failure as err:
        if err.kind == "missing":
            owner.present(settings, tool)
        raise


def _following(settings, tool, name, path, prefetch, now):
    since = now() - remembered.read(_failed(settings)).get("failed_unix", 0)
    if 0 <= since < REST_S:
        raise Failure("unreachable", f"the archive failed {since:.0f} s ago and isn't asked for {REST_S} s")
    try:
        owner.ours(settings, tool)
        tool.fetch_wal(name, path, prefetch)
    except Failure as err:
        if err.kind in ("unreachable", "timeout"):
            _remember(settings, now())
        raise
