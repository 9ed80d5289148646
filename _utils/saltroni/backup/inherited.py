"""A new leader archives what the old one couldn't.

While a replica follows, PostgreSQL takes every segment that it receives for archived: that is the leader's business. If
the leader dies before it has archived one (the storage was out), nobody does it any more, and there is a hole in the
archive just before the new timeline. The new leader has those segments. It marks them as ready again: PostgreSQL's own
archiver pushes them then, as often as it takes, and PostgreSQL keeps them until it has.

The segment in which the timeline was left isn't among them: the new timeline's first one begins with a copy of it.

Source: PostgreSQL's documentation, *High Availability*, "Continuous Archiving in Standby"; ``xlogarchive.c``,
``XLogArchiveForceDone``; ``pgarch.c``, which scans ``archive_status`` for names that end with ``.ready``.
"""

import contextlib
import os
import time

from saltroni.backup import local, remembered, wal
from saltroni.backup.failure import Failure

STATUS = "archive_status"


def _file(settings):
    return settings.state / "inherited.json"


def waiting(names, descent, segment_bytes=wal.SEGMENT_BYTES):
    """Names of files in ``pg_wal`` that an earlier timeline's leader had to archive, the oldest first. Pure.

    The histories are among them, this timeline's own too: a leader that was promoted while it archived nothing, as a
    restored one is, never marked it.

    Args:
        names: what is in ``pg_wal``.
        descent: this leader's, see :func:`saltroni.backup.wal.line`.
    """
    ends = {timeline: end for timeline, _, end in descent}
    found = []
    for name in names:
        kind = wal.kind(name)
        if kind not in (wal.SEGMENT, wal.HISTORY) or wal.timeline(name) not in ends:
            continue
        end = ends[wal.timeline(name)]
        # a segment that the timeline was left in has its place in the next one's; later ones were never written
        if kind == wal.HISTORY or (end is not None and wal.number(name, segment_bytes) < end // segment_bytes):
            found.append(name)
    return sorted(found, key=lambda name: (wal.kind(name) != wal.HISTORY, name[8:], name[:8]))


def mark(settings, tool, wait_s=0, again=False, clock=time.monotonic, sleep=time.sleep):
    """Mark what the archive lacks as ready to be archived.

    If the archive can't be asked, everything is marked: a file that is there already is no error.

    Args:
        settings: this node's.
        tool: its :class:`saltroni.backup.tools.Tool`.
        wait_s: how long to wait for the end of a promotion (seconds).
        again: do it though it was done for this timeline before.

    Returns:
        ``{"timeline", "marked": [names], "asked": whether the archive could be asked}``; ``timeline`` is None on a replica.

    Raises:
        Failure: PostgreSQL can't be asked, or its files can't be changed.
    """
    here = _promoted(settings, wait_s, clock, sleep)
    if here is None:
        return {"timeline": None, "marked": [], "asked": False}
    if remembered.read(_file(settings)).get("timeline") == here.timeline and not again:
        return {"timeline": here.timeline, "marked": [], "asked": True}
    try:
        names = [entry.name for entry in settings.wal.iterdir()]
        mine = waiting(names, here.descent, settings.segment_bytes)
        asked, lacking = _lacking(tool, mine)
        marked = [name for name in lacking if _ready(settings.wal, name)]
        remembered.write(_file(settings), {"timeline": here.timeline, "marked": marked, "asked": asked})
    except OSError as err:
        raise Failure("other", f"{settings.wal} can't be looked at: {err}") from err
    return {"timeline": here.timeline, "marked": marked, "asked": asked}


def _promoted(settings, wait_s, clock, sleep):
    end = clock() + wait_s
    while True:
        try:
            here = local.where(settings)
            if not here.in_recovery or clock() >= end:
                return None if here.in_recovery else here
        except Failure:
            if clock() >= end:
                raise
        sleep(0.5)


def _lacking(tool, names):
    if not names:
        return True, []
    try:
        stored = tool.segments()
    except Failure:
        return False, names
    return True, [name for name in names if name not in stored]


def _ready(folder, name):
    """Mark one file; whether it wasn't marked yet and is there."""
    ready, done = folder / STATUS / f"{name}.ready", folder / STATUS / f"{name}.done"
    if ready.exists() or not (folder / name).exists():
        return False
    with contextlib.suppress(FileNotFoundError):
        done.rename(ready)
        return True
    owner = folder.stat()
    ready.touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(ready, owner.st_uid, owner.st_gid)
    return True
