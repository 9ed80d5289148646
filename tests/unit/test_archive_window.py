"""What can be restored, from which backup, and what may go: timelines that were left are never mixed with the present."""

from datetime import UTC, datetime, timedelta

import pytest

from saltroni.backup import wal, window
from saltroni.backup.failure import Failure
from saltroni.backup.tools import DELTA, FULL, Backup

MIB16 = wal.SEGMENT_BYTES
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HISTORY2 = f"1\t{wal.place(50 * MIB16)}\tPITR\n"


def one(timeline, number, days_ago, kind=FULL, base=None, permanent=False):
    """A backup that begins in a segment and ends in the same."""
    finished = NOW - timedelta(days=days_ago)
    start = number * MIB16 + 40
    return Backup(
        f"{timeline}-{number}", kind, base, finished - timedelta(minutes=1), finished, start, start + 4096,
        wal.segment_of(timeline, start), timeline, 1, 1, 77, permanent,
    )  # fmt: skip


def stored(*ranges, histories=()):
    """``{name: time}``: a segment an hour."""
    found = {wal.history_name(timeline): NOW for timeline in histories}
    for timeline, first, last in ranges:
        for number in range(first, last + 1):
            found[wal.name(timeline, number)] = NOW - timedelta(hours=100 - number)
    return found


LINE2 = wal.line(2, HISTORY2)
#: Before the fork, after it on the timeline that was left, and on the new one.
BEFORE, LEFT, AFTER = one(1, 40, 3), one(1, 60, 2), one(2, 55, 1)
ALL = [BEFORE, LEFT, AFTER]


def test_a_backup_beyond_the_fork_isnt_the_descents():
    assert [window.belongs(backup, LINE2) for backup in ALL] == [True, False, True]
    assert window.newest(ALL, LINE2) == AFTER
    # WAL-G would take LEFT for the base of a delta: it is the latest before AFTER
    assert window.newest([BEFORE, LEFT], LINE2) == BEFORE
    assert window.newest([LEFT], LINE2) is None
    assert window.newest(ALL, LINE2, lsn=54 * MIB16) == BEFORE


def test_the_newest_backup_before_a_target_is_chosen_on_its_own_descent():
    assert window.choose({"latest": True}, ALL, LINE2) == AFTER
    assert window.choose({"time": NOW - timedelta(days=1.5)}, ALL, LINE2) == BEFORE
    assert window.choose({"time": NOW}, ALL, LINE2) == AFTER
    assert window.choose({"lsn": 62 * MIB16}, ALL, LINE2) == AFTER
    assert window.choose({"lsn": 52 * MIB16}, ALL, LINE2) == BEFORE
    # on the timeline that was left, the same place is another one's
    assert window.choose({"lsn": 62 * MIB16}, ALL, wal.line(1)) == LEFT
    assert window.choose({"name": "before the mistake"}, ALL, LINE2) == BEFORE
    assert window.choose({"xid": "77", "after": NOW - timedelta(hours=1)}, ALL, LINE2) == AFTER


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        ({"time": NOW - timedelta(days=9)}, "missing", "the oldest, 1-40"),
        ({"time": BEFORE.finished}, "missing", "no backup ended before"),
        ({"lsn": 10 * MIB16}, "missing", "0/A000000"),
        ({}, "other", "a target is"),
    ],
)
def test_a_target_before_every_backup_is_refused(target, kind, words):
    with pytest.raises(Failure, match=words) as caught:
        window.choose(target, ALL, LINE2)
    assert caught.value.kind == kind
    with pytest.raises(Failure, match="no backup of timeline 2"):
        window.choose({"latest": True}, [LEFT], LINE2)


def test_a_segment_in_which_a_timeline_was_left_is_the_next_ones():
    middle = wal.line(2, f"1\t{wal.place(50 * MIB16 + 1000)}\tx\n")
    names = window.names(middle, 49 * MIB16, until_lsn=51 * MIB16 + 1)
    assert list(names) == [wal.name(1, 49), wal.name(2, 50), wal.name(2, 51)]
    edge = window.names(LINE2, 49 * MIB16, until_lsn=51 * MIB16)
    assert list(edge) == [wal.name(1, 49), wal.name(2, 50)]


def test_what_a_backup_lacks():
    assert window.lacking(BEFORE, LINE2, stored((1, 40, 40))) == []
    assert window.lacking(BEFORE, LINE2, stored((1, 41, 45))) == [wal.name(1, 40)]
    assert window.lacking(BEFORE, LINE2, stored((1, 40, 49)), until_lsn=51 * MIB16) == [wal.name(2, 50)]


def test_a_window_reaches_over_a_failover():
    found = window.windows(ALL, stored((1, 40, 49), (2, 50, 70), histories=[2]), {2: HISTORY2})
    assert [(one.timeline, one.start, one.end, one.gaps, one.present) for one in found] == [
        (2, BEFORE.finished, None, [], True)
    ]


def test_a_timeline_that_was_left_has_a_window_of_its_own_where_it_went_on():
    found = window.windows(ALL, stored((1, 40, 65), (2, 50, 70)), {2: HISTORY2})
    assert [(one.timeline, one.present) for one in found] == [(2, True), (1, False)]
    assert found[1].end == NOW - timedelta(hours=35)
    assert found[1].row()["until"] == found[1].end.isoformat()


def test_a_gap_is_told_with_its_moments():
    files = stored((1, 40, 49), (2, 50, 70))
    for number in (47, 48):
        del files[wal.name(1, number)]
    gap = window.windows(ALL, files, {2: HISTORY2})[0].gaps[0]
    assert (gap["first"], gap["last"]) == (wal.name(1, 47), wal.name(1, 48))
    assert (gap["start"], gap["end"]) == (NOW - timedelta(hours=54), AFTER.finished)
    # no backup after it: nothing later can be restored
    assert window.windows([BEFORE], files, {2: HISTORY2})[0].gaps[0]["end"] is None


def test_a_backup_whose_own_log_is_missing_opens_no_window():
    files = stored((1, 41, 49), (2, 50, 70))
    assert window.windows(ALL, files, {2: HISTORY2})[0].start == AFTER.finished
    assert window.windows([BEFORE], files, {2: HISTORY2}) == []
    assert window.windows([], {}, {}) == []


def test_retention_counts_no_backup_of_a_timeline_that_was_left():
    full = [one(1, 10, 30), one(1, 20, 25), one(1, 30, 20), one(1, 60, 19), one(2, 55, 18), one(2, 70, 1)]
    plan = window.retention(full, LINE2, 2, 14, NOW)
    # of ours the two newest are 2-55 and 2-70; WAL-G would have kept 1-60 for one of two
    assert (plan.oldest.id, [gone.id for gone in plan.abandoned]) == ("2-55", ["1-60"])
    assert window.retention(full, LINE2, 4, 14, NOW).oldest.id == "1-20"


def test_retention_keeps_every_moment_of_its_days():
    full = [one(1, 10, 30), one(1, 20, 16), one(1, 30, 9), one(1, 40, 2)]
    # the moment 14 days ago needs the one that is 16 days old
    assert window.retention(full, wal.line(1), 2, 14, NOW).oldest.id == "1-20"
    assert window.retention(full, wal.line(1), 2, 1, NOW).oldest.id == "1-30"
    assert window.retention(full, wal.line(1), 9, 1, NOW).oldest is None
    # none is old enough: all stay, however many
    assert window.retention(full[2:], wal.line(1), 1, 14, NOW).oldest is None


def test_retention_never_takes_the_last_nor_a_permanent_one():
    assert window.retention([one(1, 10, 99)], wal.line(1), 1, 1, NOW).oldest is None
    assert window.retention([one(1, 60, 99, permanent=True)], LINE2, 1, 1, NOW).abandoned == []
    young = one(1, 60, 3)
    assert window.retention([young, AFTER], LINE2, 1, 14, NOW).abandoned == []


def test_a_chain_of_deltas_is_followed_to_its_full_one():
    second = one(1, 41, 2, DELTA, "1-40")
    third = one(1, 42, 1, DELTA, "1-41")
    assert [link.id for link in window.chain(third, [BEFORE, second, third])] == ["1-42", "1-41", "1-40"]
    with pytest.raises(Failure, match="isn't in the archive"):
        window.chain(third, [BEFORE, third])
