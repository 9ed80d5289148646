"""From when to when a cluster can be restored, from which backup, and which backups are needed no more. Pure, but for
:func:`look` and :func:`missing`.

A *descent* is a timeline with those that it came from, see :func:`saltroni.backup.wal.line`. A backup belongs to it if it
ended before the descent left the backup's timeline; one that doesn't is of a timeline that was left (abandoned), and must
never be the base of anything on this one.
"""

from dataclasses import dataclass
from datetime import timedelta

from saltroni.backup import local, wal
from saltroni.backup.failure import Failure
from saltroni.backup.tools import FULL


def belongs(backup, descent):
    """Whether a descent went through the end of this backup."""
    return wal.on_line(descent, backup.timeline, backup.finish_lsn)


def newest(backups, descent, lsn=None):
    """The newest backup of a descent that ended before ``lsn``; None without one."""
    fit = [one for one in backups if belongs(one, descent) and (lsn is None or one.finish_lsn <= lsn)]
    return max(fit, key=lambda one: (one.finish_lsn, one.finished), default=None)


def chain(backup, backups):
    """A backup and those that it rests upon, itself first.

    Raises:
        Failure: ``corrupt``: one of them isn't there.
    """
    known, found = {one.id: one for one in backups}, [backup]
    while found[-1].base is not None:
        base = known.get(found[-1].base)
        if base is None or base in found:
            raise Failure("corrupt", f"{found[-1].id} rests upon {found[-1].base}, which isn't in the archive")
        found.append(base)
    return found


def descents(timelines, histories):
    """``{timeline: descent}`` of those whose history is known.

    Args:
        timelines: numbers.
        histories: ``{timeline: text}``.
    """
    found = {}
    for timeline in sorted(set(timelines)):
        if timeline == 1 or timeline in histories:
            found[timeline] = wal.line(timeline, histories.get(timeline))
    return found


def choose(target, backups, descent):
    """The backup to start from in order to reach a target: the newest one before it, on its own descent.

    Args:
        target: one of ``{"time": aware datetime}``, ``{"lsn": int}``, ``{"latest": True}``, ``{"name": text}`` or
            ``{"xid": text}``. A name's or a transaction's place isn't known before it is reached: its oldest backup is
            taken, or the newest that ended before ``"after"``, an aware datetime that is surely earlier.
        backups: see :class:`saltroni.backup.tools.Backup`.
        descent: that of the timeline to end on.

    Raises:
        Failure: ``missing``: no backup is early enough.
    """
    kind = next((one for one in ("time", "lsn", "latest", "name", "xid") if target.get(one) is not None), None)
    if kind is None:
        raise Failure("other", "a target is a time, an LSN, a name, a transaction or latest")
    fit = sorted((one for one in backups if belongs(one, descent)), key=lambda one: one.finish_lsn)
    if not fit:
        raise Failure("missing", f"there is no backup of timeline {descent[-1][0]} or of those it came from")
    if kind == "time":
        return _last([one for one in fit if one.finished < target["time"]], fit, f"{target['time'].isoformat()}")
    if kind == "lsn":
        return _last([one for one in fit if one.finish_lsn <= target["lsn"]], fit, wal.place(target["lsn"]))
    if kind == "latest":
        return fit[-1]
    if target.get("after") is not None:
        return _last([one for one in fit if one.finished < target["after"]], fit, target["after"].isoformat())
    return fit[0]


def _last(early, fit, what):
    if not early:
        first = fit[0]
        raise Failure(
            "missing",
            f"no backup ended before {what}: the oldest, {first.id}, ended at {first.finished.isoformat()}, "
            f"{wal.place(first.finish_lsn)}",
        )
    return early[-1]


def names(descent, first_lsn, segment_bytes=wal.SEGMENT_BYTES, until_lsn=None):
    """Names of the segments from a place on, without end or until ``until_lsn``, as recovery wants them.

    A segment in which a timeline was left belongs to the one that follows: that one's file begins with a copy.
    """
    number = wal.number_of(first_lsn, segment_bytes)
    last = None if until_lsn is None else wal.last_number(until_lsn, segment_bytes)
    while last is None or number <= last:
        end = (number + 1) * segment_bytes
        timeline = max(one for one, begin, _ in descent if begin < end)
        yield wal.name(timeline, number, segment_bytes)
        number += 1


def lacking(backup, descent, stored, until_lsn=None, segment_bytes=wal.SEGMENT_BYTES):
    """Names that are missing between a backup's beginning and its end, or ``until_lsn``."""
    until = max(backup.finish_lsn, until_lsn or 0)
    return [one for one in names(descent, backup.start_lsn, segment_bytes, until) if one not in stored]


@dataclass(frozen=True)
class Window:
    """Moments that can be restored on one timeline's descent, but for the gaps."""

    timeline: int
    #: The end of the first backup that can be used.
    start: object
    #: When the last segment was stored: whatever was committed before is in it. None: everything up to now.
    end: object
    #: ``[{"start", "end", "first", "last"}]``: moments (``end`` None: until now) and names of missing segments.
    gaps: list
    #: Whether it is the newest timeline's.
    present: bool

    def row(self):
        """As a dict with nothing but what JSON knows."""

        def text(moment):
            return moment.isoformat() if moment is not None else None

        gaps = [{**gap, "start": text(gap["start"]), "end": text(gap["end"])} for gap in self.gaps]
        return {
            "timeline": self.timeline,
            "from": text(self.start),
            "until": text(self.end),
            "gaps": gaps,
            "present": self.present,
        }


def windows(backups, stored, histories, segment_bytes=wal.SEGMENT_BYTES, current=None):
    """What can be restored, the newest timeline's window first.

    Args:
        backups: all of them.
        stored: ``{name: time}`` of archived files.
        histories: ``{timeline: text}`` of those that have one.
        current: the present leader's timeline; without it the highest that the archive knows.

    Returns:
        a list of :class:`Window`; a timeline that was left has one of its own only if the archive has log of it from
        beyond the place where it was left.
    """
    segments = {name for name in stored if wal.kind(name) == wal.SEGMENT}
    seen = {one.timeline for one in backups} | {wal.timeline(name) for name in segments}
    current = current or max(seen, default=1)
    lines = descents(seen | {current}, histories)
    left = {one for line in lines.values() for one, _, end in line if end is not None}
    found = []
    for timeline in sorted(lines, key=lambda one: (one != current, -one)):
        if timeline != current and timeline in left and not _beyond(timeline, lines, segments, segment_bytes):
            continue
        window = _window(timeline, lines[timeline], backups, segments, stored, segment_bytes, timeline == current)
        if window is not None:
            found.append(window)
    return found


def look(settings, tool):
    """:func:`windows` of this cluster's archive, whose history files are fetched; not pure.

    Raises:
        Failure: it can't be asked.
    """
    backups, stored = tool.list(), tool.segments()
    known = {wal.timeline(name) for name in stored if wal.kind(name) == wal.HISTORY}
    histories = {timeline: tool.history(timeline) for timeline in sorted(known)}
    try:
        here = local.where(settings)
    except Failure:
        return windows(backups, stored, histories, settings.segment_bytes)  # by the archive's word alone
    if here.timeline > 1 and here.timeline not in histories:
        histories[here.timeline] = local.history(settings, here.timeline)
    return windows(backups, stored, histories, settings.segment_bytes, here.timeline)


def missing(settings, tool):
    """What the present timeline's descent lacks in the archive, as rows of ``verify``; not pure.

    Raises:
        Failure: the archive or PostgreSQL can't be asked.
    """
    stored = tool.segments()
    lost = [(gap["first"], gap["last"]) for one in look(settings, tool) if one.present for gap in one.gaps]
    here = local.where(settings)
    # of an earlier timeline that the archive has nothing of, nothing can be restored anyway
    known = {here.timeline} | {wal.timeline(name) for name in stored if wal.kind(name) == wal.SEGMENT}
    histories = [wal.history_name(one) for one, _, _ in here.descent if one > 1 and one in known]
    lost += [(name, name) for name in histories if name not in stored]
    return [{"timeline": wal.timeline(first), "start": first, "end": last, "status": "MISSING"} for first, last in lost]


def _beyond(timeline, lines, segments, segment_bytes):
    """Whether segments of a timeline were archived that none of those which came from it has."""
    ends = [end for line in lines.values() for one, _, end in line if one == timeline and end is not None]
    last = wal.last_number(max(ends), segment_bytes)
    return any(wal.timeline(name) == timeline and wal.number(name, segment_bytes) > last for name in segments)


def _window(timeline, descent, backups, segments, stored, segment_bytes, present):
    fit = sorted((one for one in backups if belongs(one, descent)), key=lambda one: one.finish_lsn)
    whole = [one for one in fit if not lacking(one, descent, segments, None, segment_bytes)]
    if not whole:
        return None
    here = {one for one, _, _ in descent}
    newest_number = max(wal.number(name, segment_bytes) for name in segments if wal.timeline(name) in here)
    gaps, run, before = [], [], None
    for name in names(descent, whole[0].start_lsn, segment_bytes):
        if wal.number(name, segment_bytes) > newest_number:
            break
        if name not in segments:
            run.append(name)
            continue
        if run:
            gaps.append(_gap(run, before, whole, stored, segment_bytes))
            run = []
        before = name
    end = None if present else stored.get(before)
    return Window(timeline, whole[0].finished, end, gaps, present)


def _gap(run, before, whole, stored, segment_bytes):
    last = wal.number(run[-1], segment_bytes)
    after = [one.finished for one in whole if wal.number_of(one.start_lsn, segment_bytes) > last]
    return {
        "first": run[0],
        "last": run[-1],
        "start": stored.get(before),
        "end": min(after) if after else None,
    }


@dataclass(frozen=True)
class Plan:
    """What retention wants."""

    #: Everything older than this full backup may go; None: nothing may.
    oldest: object
    #: Full backups of timelines that were left, and deltas on them, old enough to go.
    abandoned: list


def retention(backups, descent, keep_full, keep_days, now):
    """Which backups are needed no more.

    Kept are the ``keep_full`` newest full ones of the present descent, and so many more that every moment of the last
    ``keep_days`` days can be restored. A backup of a timeline that was left counts for nothing, and goes when it is older
    than ``keep_days``. Permanent ones stay.

    Args:
        backups: all of them.
        descent: that of the present timeline.
        keep_full: how many, at least 1.
        keep_days: days.
        now: aware datetime.
    """
    since = now - timedelta(days=keep_days)
    ours = sorted(
        (one for one in backups if one.kind == FULL and belongs(one, descent)), key=lambda one: one.finish_lsn
    )
    early = [one for one in ours if one.finished <= since]
    oldest = None
    if len(ours) > max(1, keep_full) and early:
        # the older of the two: the last that covers the beginning of the time, and the last that must be there
        oldest = min(early[-1], ours[-max(1, keep_full)], key=lambda one: one.finish_lsn)
    gone = [one for one in backups if not belongs(one, descent) and one.finished <= since and not one.permanent]
    return Plan(oldest if oldest is not None and oldest is not ours[0] else None, gone)
