"""Whether this member's log reaches the archive: what waits, why, and how long the disk lasts.

``pg_stat_archiver`` doesn't tell: while a push hangs, nothing fails and nothing is counted. What waits is asked of
``archive_status`` itself, where PostgreSQL keeps one file for each that is to be archived.
"""

import os
import time
from pathlib import Path

from saltroni.backup import push, wal
from saltroni.backup.failure import Failure
from saltroni.backup.inherited import STATUS

#: So many of the newest segments tell the rate (and not those of the last days).
NEWEST, WITHIN_S = 64, 3600


def look(settings, now=time.time):
    """What there is to see, without asking the storage.

    Returns:
        ``{waiting, oldest, oldest_s, wal_bytes_s, free_bytes, disk_left_s, failure, success, warn_unarchived_s,
        warn_disk_left_s}``; see :func:`saltroni.backup.push.last` for the two before the last two.

    Raises:
        OSError: ``pg_wal`` can't be looked at.
    """
    at = now()
    ready = _with_suffix(settings.wal / STATUS, ".ready")
    oldest = min(ready, key=ready.get, default=None)
    rate = rate_bytes_s(_completed(settings), settings.segment_bytes, at)
    disk = os.statvfs(settings.wal)
    free = disk.f_bavail * disk.f_frsize
    return {
        "waiting": len(ready),
        "oldest": oldest,
        "oldest_s": round(max(0.0, at - ready[oldest]), 1) if oldest else None,
        "wal_bytes_s": round(rate),
        "free_bytes": free,
        "disk_left_s": round(free / rate) if rate > 0 else None,
        **push.last(settings),
        "warn_unarchived_s": settings.warn_unarchived_s,
        "warn_disk_left_s": settings.warn_disk_left_s,
    }


def _with_suffix(folder, suffix):
    """``{name: time}`` of the files in ``archive_status`` that end with ``suffix``."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(suffix):
                try:
                    found[entry.name.removesuffix(suffix)] = entry.stat().st_mtime
                except FileNotFoundError:
                    continue  # archived and forgotten meanwhile
    return found


def _completed(settings):
    """Times at which segments were finished: those that wait, and those that were archived and aren't recycled yet."""
    folder = settings.wal / STATUS
    known = {**_with_suffix(folder, ".done"), **_with_suffix(folder, ".ready")}
    found = []
    for name in known:
        if wal.kind(name) == wal.SEGMENT:
            try:
                found.append(Path(settings.wal, name).stat().st_mtime)
            except FileNotFoundError:
                continue
    return found


def rate_bytes_s(times, segment_bytes, now):
    """The rate at which segments were finished of late. Pure.

    Args:
        times: when each was finished.
        segment_bytes: size of one.
        now: the present time.
    """
    late = sorted(one for one in times if now - WITHIN_S <= one <= now)[-NEWEST:]
    if len(late) < 2:
        return 0.0
    return (len(late) - 1) * segment_bytes / max(now - late[0], 1.0)


def sentence(seen):
    """What is wrong, as a sentence; None if all is well. Pure."""
    late = seen["oldest_s"] is not None and seen["oldest_s"] > seen["warn_unarchived_s"]
    if not late:
        return None
    parts = [
        f"{seen['oldest']} waits for the archive since {duration(seen['oldest_s'])}, {seen['waiting']} files in all"
    ]
    failed = seen.get("failure")
    if failed:
        parts.append(f"{failed.get('tries')} pushes failed: {Failure(failed.get('kind'), failed.get('text'))}")
    else:
        parts.append("no push has failed: does archive_command run at all? see PostgreSQL's log")
    if seen["disk_left_s"] is not None:
        urgent = "ONLY " if seen["disk_left_s"] < seen["warn_disk_left_s"] else ""
        parts.append(f"the disk of pg_wal lasts for {urgent}{duration(seen['disk_left_s'])} at the present rate")
    return "; ".join(parts)


def duration(seconds):
    """Seconds as words: ``40 s``, ``12 min``, ``5 h``, ``3 days``. Pure."""
    for size, name, least in ((86400, "days", 2 * 86400), (3600, "h", 2 * 3600), (60, "min", 120)):
        if seconds >= least:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
