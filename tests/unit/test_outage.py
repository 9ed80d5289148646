"""Drills: the outage and its phases, and the ledger, without a cluster."""

import time

from saltroni.drill import clock, ledger, outage, watch

DRILL = "6f4c6f0e-0000-4000-8000-000000000001"


# outage


def test_the_outage_is_the_longest_gap_of_one_writer_that_ends_after_the_fault():
    times = {
        0: [1.0, 4.9, 5.0, 7.5, 7.6],  # the gap before the fault doesn't count
        1: [4.8, 5.05, 6.9, 7.6],
    }
    seen = outage.measure(times, 5.01, 7.7)
    assert (seen["outage_s"], seen["writer"], seen["open"]) == (2.5, 0, False)
    assert seen["any_writer_s"] == 1.85
    assert seen["first_at"] == 6.9


def test_a_writer_that_never_came_back_leaves_the_outage_open():
    seen = outage.measure({0: [1.0, 2.0], 1: [1.9, 3.0, 3.1]}, 1.95, 10.0)
    assert (seen["outage_s"], seen["writer"], seen["open"]) == (8.0, 0, True)


def test_what_is_acknowledged_while_writers_stop_leaves_no_open_gap():
    seen = outage.measure({0: [1.0, 2.0, 2.1, 10.2], 1: [1.0, 2.0, 9.9, 10.01]}, 5.0, 10.0)
    assert (seen["outage_s"], seen["open"]) == (8.1, False)


def test_calm_means_every_writer_without_a_gap():
    steady = [i / 10 for i in range(100)]
    assert outage.calm({0: steady, 1: steady}, 9.9, 3, 0.5)
    assert not outage.calm({0: steady, 1: steady[:80]}, 9.9, 3, 0.5)
    assert not outage.calm({0: steady, 1: []}, 9.9, 3, 0.5)
    assert not outage.calm({}, 9.9, 3, 0.5)


def test_the_moment_of_the_fault_stays_within_what_is_certain():
    assert clock.moment(1000.5, 990.0, 10.0, 11.0) == 10.5
    assert clock.moment(1000.5, 900.0, 10.0, 11.0) == 11.0
    assert clock.moment(1000.5, 999.0, 10.0, 11.0) == 10.0


def test_phases_tell_what_was_seen_and_nothing_else():
    seen = {
        "leader": [(1.0, "pg1"), (2.5, None), (2.8, "pg2")],
        "promoted": [(2.9, "pg2")],
        "servers": [(1.0, ["pg1"]), (2.3, []), (3.0, ["pg2"])],
        "followed": [5.25],
    }
    assert watch.phases(seen, "pg1", 2.0) == {
        "leader_key_gone_s": 0.5,
        "new_leader_s": 0.8,
        "promoted_s": 0.9,
        "balancer_up_s": 1.0,
        "old_leader_rejoined_s": 3.25,
    }
    nothing = {"leader": [(1.0, "pg1")], "promoted": [], "servers": [(1.0, ["pg1"])], "followed": []}
    assert set(watch.phases(nothing, "pg1", 2.0).values()) == {None}


def test_a_load_balancer_that_finds_the_same_leader_again_was_down_in_between():
    def up(*servers):
        seen = {"leader": [(1.0, "pg1")], "promoted": [], "servers": servers, "followed": []}
        return watch.phases(seen, "pg1", 2.0)["balancer_up_s"]

    assert up((1.0, ["pg1"]), (2.5, []), (4.0, ["pg1"])) == 2.0
    assert up((1.0, ["pg1"]), (2.5, []), (2.6, ["pg1"]), (4.0, ["pg2"])) == 0.6
    assert up((1.0, []), (1.5, ["pg1"])) is None  # before the fault
    assert up((1.0, ["pg1"]), (2.5, [])) is None


def test_an_old_leader_follows_when_it_streams_on_the_new_timeline():
    new = {"role": "leader", "state": "running", "timeline": 3}
    old = {"role": "replica", "state": "streaming", "timeline": 3}
    assert watch.follows({"pg1": old, "pg2": new}, "pg2", "pg1")
    for other in (dict(old, timeline=2), dict(old, state="starting")):
        assert not watch.follows({"pg1": other, "pg2": new}, "pg2", "pg1")
    assert not watch.follows({"pg2": new}, "pg2", "pg1")
    assert not watch.follows({"pg1": old}, None, "pg1")


def test_samples_of_lag_stay_few_and_cover_the_whole_time():
    lag = watch.Lag()
    for number in range(20000):
        lag.add(number / 10, {"pg2": number})
    assert len(lag.samples) <= watch.LAG_SAMPLES
    assert lag.samples[0][0] == 0
    assert lag.samples[-1][0] > 1980


# ledger


def rows(*numbers, writer=0):
    return [(writer, number, ledger.digest(DRILL, writer, number), 1) for number in numbers]


def told(*numbers, **more):
    return ledger.Ledger(acknowledged={0: {number: float(number) for number in numbers}}, **more)


def test_nothing_lost_when_every_acknowledged_row_is_there():
    found = ledger.compare(told(1, 2, 4, unknown={(0, 3), (0, 5)}, refused=7), DRILL, rows(1, 2, 3, 4))
    assert (found["acknowledged"], found["lost"], found["duplicated"]) == (3, 0, 0)
    assert found["unknown"] == {"present": 1, "absent": 1}
    assert (found["refused"], found["refused_but_present"]) == (7, 0)


def test_a_planted_loss_is_found():
    found = ledger.compare(told(1, 2, 3), DRILL, rows(1, 3))
    assert (found["lost"], found["lost_rows"]) == (1, ["0/2"])


def test_a_planted_duplicate_is_found():
    found = ledger.compare(told(1, 2), DRILL, [*rows(1), (0, 2, ledger.digest(DRILL, 0, 2), 2)])
    assert (found["lost"], found["duplicated"], found["duplicated_rows"]) == (0, 1, ["0/2"])


def test_a_damaged_row_is_lost_and_a_twin_with_another_hash_is_a_duplicate():
    found = ledger.compare(told(1, 2), DRILL, [(0, 1, "bad", 1), *rows(2), (0, 2, "bad", 1)])
    assert found["lost_rows"] == ["0/1", "0/2"]
    assert found["duplicated_rows"] == ["0/2"]


def test_a_refused_row_that_is_there_is_found():
    assert ledger.compare(told(1), DRILL, rows(1, 2))["refused_but_present_rows"] == ["0/2"]


def test_a_long_drill_is_compared_in_the_time_of_a_look():
    """A set made anew for each row took minutes for 40 000 rows, and the drill looked hung."""
    many = range(200_000)
    began = time.process_time()
    found = ledger.compare(told(*many), DRILL, rows(*many, 200_001))
    assert (found["lost"], found["refused_but_present"]) == (0, 1)
    assert time.process_time() - began < 30


def test_a_row_whose_wait_for_a_standby_was_cut_off_is_no_loss():
    found = ledger.compare(told(1, undurable={(0, 2)}), DRILL, rows(1))
    assert (found["lost"], found["undurable"]) == (0, {"present": 0, "absent": 1})


def test_long_lists_are_cut():
    assert len(ledger.compare(told(*range(50)), DRILL, [])["lost_rows"]) == ledger.LISTED
