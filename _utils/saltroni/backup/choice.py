"""From a target to the base backup and the timeline that lead there, or to why nothing does."""

import itertools
from dataclasses import dataclass

from saltroni.backup import target as targets
from saltroni.backup import wal, window
from saltroni.backup.failure import Failure


@dataclass(frozen=True)
class Archive:
    """What an archive holds."""

    backups: list
    #: ``{name: time when it was stored}``.
    stored: dict
    #: ``{timeline: text}`` of those that have a history file.
    histories: dict
    segment_bytes: int = wal.SEGMENT_BYTES

    @property
    def highest(self):
        """The highest timeline that anything in it is of."""
        return max([wal.timeline(name) for name in self.stored] + [one.timeline for one in self.backups], default=1)

    def windows(self):
        """See :func:`saltroni.backup.window.windows`."""
        return window.windows(self.backups, self.stored, self.histories, self.segment_bytes)


def look(tool, segment_bytes):
    """What an archive holds now.

    Raises:
        Failure
    """
    stored = tool.segments()
    timelines = sorted(wal.timeline(name) for name in stored if wal.kind(name) == wal.HISTORY)
    histories = {timeline: tool.history(timeline) for timeline in timelines}
    return Archive(tool.list(), stored, histories, segment_bytes)


@dataclass(frozen=True)
class Choice:
    """How to get to a target."""

    backup: object
    #: The timeline to follow.
    timeline: int
    #: The number that the next timeline has at least.
    next_timeline: int
    #: How far the archive is known to reach without a gap from the backup on (time of storing, or None).
    until: object

    def row(self):
        """As a dict with nothing but what JSON knows."""
        return {
            "backup": self.backup.row(),
            "timeline": self.timeline,
            "next_timeline": self.next_timeline,
            "until": self.until.isoformat() if self.until else None,
        }


def choose(target, archive, after=None):
    """The base backup and the timeline for a target. Pure.

    Args:
        target: a :class:`saltroni.backup.target.Target`.
        archive: an :class:`Archive`.
        after: for a name or a transaction, an aware datetime that is surely earlier.

    Raises:
        Failure: nothing leads there: no backup, a gap, a timeline that isn't known, or a time at which the cluster was on
            a timeline that was left later.
    """
    lines = window.descents({archive.highest, *archive.histories, 1, target.timeline or 1}, archive.histories)
    timeline = target.timeline or archive.highest
    if timeline not in lines:
        raise Failure("missing", f"the archive has no history of timeline {timeline}: it has {_known(lines)}")
    if target.timeline is None and target.kind == targets.TIME:
        _refuse_two_pasts(target, archive, lines, timeline)
    backup = window.choose(_wanted(target, after), archive.backups, lines[timeline])
    window.chain(backup, archive.backups)
    segments = {name for name in archive.stored if wal.kind(name) == wal.SEGMENT}
    lacking = window.lacking(backup, lines[timeline], segments, None, archive.segment_bytes)
    if lacking:
        raise Failure("missing", f"{backup.id} can't be used: the archive lacks {_some(lacking)}")
    until, missing = _reach(backup, lines[timeline], archive.stored, segments, archive.segment_bytes)
    if missing and _beyond(target, until, missing[0], archive.segment_bytes):
        raise Failure(
            "missing",
            f"the archive has a gap: {_some(missing)} is missing, so nothing later than "
            f"{until.isoformat() if until else 'the base backup'} can be restored from {backup.id}",
        )
    return Choice(backup, timeline, archive.highest + 1, until)


def _known(lines):
    return ", ".join(str(one) for one in sorted(lines))


def _some(names):
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more, up to {names[-1]}"


def _wanted(target, after):
    value = True if target.kind == targets.LATEST else target.value
    return {target.kind: value, **({"after": after} if after else {})}


def _reach(backup, descent, stored, segments, segment_bytes):
    """When the last segment before the first gap was stored, and the names of that gap."""
    newest = max((wal.number(name, segment_bytes) for name in segments), default=-1)
    here = {one for one, _, _ in descent}
    last, missing = None, []
    for name in window.names(descent, backup.start_lsn, segment_bytes):
        if wal.number(name, segment_bytes) > newest:
            return last, []
        if name in segments:
            if missing:
                return last, missing
            last = stored[name]
        elif any(wal.number(one, segment_bytes) > wal.number(name, segment_bytes) and wal.timeline(one) in here
                 for one in segments):  # fmt: skip
            missing.append(name)
        else:
            return last, missing
    return last, missing


def _beyond(target, until, first_missing, segment_bytes):
    """Whether a gap that begins with a segment is in the way. Where a name or a transaction is nobody knows before."""
    if target.kind == targets.TIME:
        return until is None or target.value > until
    if target.kind == targets.LSN:
        return wal.last_number(target.value, segment_bytes) >= wal.number(first_missing, segment_bytes)
    return target.kind == targets.LATEST


def _refuse_two_pasts(target, archive, lines, timeline):
    """A time at which the cluster was on a timeline that an earlier restore left has two pasts: what was, and what that
    restore kept."""
    descent = lines[timeline]
    for (older, _, left), (newer, _, _) in itertools.pairwise(descent):
        born = archive.stored.get(wal.history_name(newer))
        last = wal.number_of(left, archive.segment_bytes)
        beyond = [
            at
            for name, at in archive.stored.items()
            if wal.kind(name) == wal.SEGMENT
            and wal.timeline(name) == older
            and wal.number(name, archive.segment_bytes) > last
        ]
        if not beyond or born is None or target.value >= born:
            continue
        # what was stored before the fork's own segment was full was written before the fork, whoever asks
        before = archive.stored.get(wal.name(older, last - 1, archive.segment_bytes)) if last else None
        if before is None or target.value > before:
            raise Failure(
                "settings",
                f"at {target.value.isoformat(sep=' ')} the cluster was on timeline {older}, which an earlier restore left at "
                f"{wal.place(left)}: say timeline={older} for what was there then, or timeline={timeline} for what that "
                "restore kept",
            )
