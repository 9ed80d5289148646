"""Reads through the replica port: planted violations are found, honest ones aren't."""

import pytest

from saltroni.drill import ledger, reads, verdict

LAG, LATE_S = 1000, 5.0


def read(at, replayed, position, member="pg2", connection=1):
    return reads.Read(at, member, connection, replayed, {0: position})


#: The leader writes 100 bytes a second, and acknowledges one row a second, a tenth after it was written.
PLACES = [reads.Place(at - 0.01, at, 100 * at) for at in range(1, 60)]
ROWS = {0: {number: number - 0.1 for number in range(1, 60)}}


def found(*seen, places=PLACES, rows=ROWS):
    return reads.check(reads.Seen(list(seen), places), rows, LAG, LATE_S)


def test_honest_reads_are_counted_and_nothing_else():
    checked = found(*(read(at + 0.5, 100 * at, at, "pg2" if at % 2 else "pg3", at % 2) for at in range(1, 50)))
    assert (checked["reads"], checked["reads_backwards"], checked["stale_reads"]) == (49, 0, 0)
    assert checked["reads_of"] == {"pg2": 25, "pg3": 24}


def test_a_position_that_goes_back_is_found_on_one_connection_only():
    back = found(read(10, 1000, 10), read(11, 1100, 9))
    assert (back["reads_backwards"], "was at 10, then at 9" in back["bad_reads"][0]) == (1, True)
    # another connection may be one to another member, which is behind
    assert found(read(10, 1000, 10), read(11, 900, 9, "pg3", 2))["reads_backwards"] == 0


def test_a_member_that_stands_still_is_stale_when_the_promise_is_broken_not_before():
    still = [read(at + 0.5, 1000, 10) for at in range(10, 40)]
    stale = [one.sent_at for one in still if found(one)["stale_reads"]]
    # 1000 bytes more are written at 20 s and a bit, and the port has 5 s to notice
    assert stale == [at + 0.5 for at in range(26, 40)]


def test_a_row_that_a_member_should_have_and_has_not_is_found():
    assert found(read(30.5, 3000, 28))["stale_reads"] == 1
    assert found(read(30.5, 3000, 29))["stale_reads"] == 1
    assert found(read(30.5, 3000, 30))["stale_reads"] == 0
    # it replayed less: the row may come
    assert found(read(30.5, 2899, 28))["stale_reads"] == 0


def test_a_row_that_waits_for_a_standby_is_owed_to_nobody_before_it_is_acknowledged():
    """A new leader's first commit waits for a standby to follow: its place is written, the row isn't to be seen."""
    places, rows = [reads.Place(4.0, 4.0, 500)], {0: {182: 1.0, 184: 3.0}}
    assert found(read(2.0, 500, 182), places=places, rows=rows)["stale_reads"] == 0
    assert found(read(3.5, 500, 182), places=places, rows=rows)["stale_reads"] == 1


def test_rows_that_are_lost_are_not_held_against_replicas():
    told = ledger.Ledger(acknowledged={0: {1: 1.0, 2: 2.0}})
    assert ledger.kept(told, [(0, 1, "h", 1)]) == {0: {1: 1.0}}


def test_nothing_known_proves_nothing():
    assert found(read(1, 0, 0), places=[], rows={})["stale_reads"] == 0
    assert reads.delay_s(1, 5) == 7


@pytest.mark.parametrize("kind", ["reads_backwards", "stale_reads"])
def test_bad_reads_fail_the_drill(kind):
    good = {
        "bound_s": None, "outage_s": 1.0, "came_back": True, "checked": True, "lost": 0, "acknowledged": 9,
        "whole": True, "missing": [], "lock_lost": None,
    }  # fmt: skip
    assert verdict.reasons(good) == []
    assert "pg2: bad" in verdict.reasons({**good, kind: 2, "bad_reads": ["pg2: bad"]})[0]


def test_a_batch_is_one_statement():
    assert ledger.insert(1) == ledger.INSERT
    assert ledger.insert(3).count("(%s, %s, %s, %s)") == 3
