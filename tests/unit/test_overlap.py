"""Rows that two leaders took at the same time."""

from saltroni.drill.overlap import overlap


def test_the_old_leader_stops_before_the_other_begins():
    found = overlap([99.0, 100.0, 114.9], 100.0, 120.1, 120.5)
    assert (found["rows"], found["lasted_s"]) == (0, 0)
    assert (found["former_leader_last_at_s"], found["new_leader_first_at_s"]) == (14.9, 20.1)


def test_a_planted_row_is_found():
    found = overlap([99.0, 120.2], 100.0, 120.1, 120.5)
    assert (found["rows"], found["lasted_s"]) == (1, 0.1)


def test_a_commit_by_the_load_balancer_may_be_seen_before_the_key():
    assert overlap([120.2], 100.0, 121.0, 120.0)["rows"] == 1


def test_nothing_is_said_where_nobody_wrote_or_nobody_took_over():
    assert overlap(None, 100.0, 120.0, 120.0) is None
    assert overlap([100.0], 100.0, None, 101.0) is None


def test_a_fault_at_once_leaves_no_rows():
    assert overlap([], 100.0, 101.0, 101.0)["former_leader_last_at_s"] is None
