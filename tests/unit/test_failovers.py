"""Changes of the leader: told, reconciled with Patroni's history, explained, and what they cost."""

from datetime import UTC, datetime, timedelta

import pytest

from saltroni.report import availability, drills, events, failovers, verify

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
BOUNDS = {"a": {"bound_s": 3.0}, "b": {"bound_s": 20.0}}


def event(kind, node, second, **data):
    at = BEGIN + timedelta(seconds=second)
    return events.event(f"{node}/{kind}/{second}/{data.get('timeline')}", "demo", node, kind, data, at)


def role(node, second, leads=True):
    return event("role/changed", node, second, role="primary" if leads else "replica")


def line(timeline, leader, second, teller=None):
    at = (BEGIN + timedelta(seconds=second)).isoformat()
    data = {"timeline": timeline, "lsn": timeline * 100, "time": at, "new_leader": leader, "reason": "x"}
    return event("timeline/ended", teller or leader, second, **data)


def drill(second, old, new, timeline, outage=1.5):
    data = {"drill": f"d{second}", "fault": "postmaster_killed", "old_leader": old, "new_leader": new, "lost": 0}
    more = {"timeline_after": timeline, "outage_s": outage, "bound_s": 2.5, "verdict": "passed"}
    return event("drill/finished", "lb1", second, **data, **more)


def changes(*recorded):
    recorded = sorted(recorded, key=lambda one: one["time"])
    return failovers.all_failovers(recorded, drills.all_drills(recorded), BOUNDS)


def told(found, *names):
    return [tuple(change[name] for name in names) for change in found]


def test_what_patroni_told_and_its_history_are_one_change():
    found = changes(event("postgresql/started", "pg1", 0, role="primary"), role("pg2", 100.4), line(1, "pg2", 99))
    assert told(found, "old_leader", "new_leader", "timeline", "source") == [("pg1", "pg2", 2, "confirmed")]


def test_what_nobody_told_is_reconciled():
    found = changes(role("pg2", 100), line(1, "pg2", 100), line(2, "pg3", 500, teller="pg1"), line(3, "pg1", 900))
    assert told(found, "new_leader", "source") == [
        ("pg2", "confirmed"), ("pg3", "reconciled"), ("pg1", "reconciled"),
    ]  # fmt: skip
    assert [change["old_leader"] for change in found] == [None, "pg2", "pg3"]


def test_a_line_that_several_nodes_tell_is_one_change():
    found = changes(line(1, "pg2", 100), line(1, "pg2", 100, teller="pg3"), line(1, "pg2", 100, teller="pg1"))
    assert len(found) == 1


def test_two_changes_to_the_same_leader_stay_two():
    found = changes(role("pg2", 100), line(1, "pg2", 100), role("pg1", 130), line(2, "pg1", 130), role("pg2", 150),
                    line(3, "pg2", 150))  # fmt: skip
    assert told(found, "new_leader", "timeline", "source") == [
        ("pg2", 2, "confirmed"), ("pg1", 3, "confirmed"), ("pg2", 4, "confirmed"),
    ]  # fmt: skip


def test_a_drill_explains_its_change_and_measured_it():
    found = changes(role("pg2", 100), line(1, "pg2", 100), drill(115, "pg1", "pg2", 2))
    assert told(found, "why", "fault", "outage_s", "how", "bound_s", "lost") == [
        ("drill", "postmaster_killed", 1.5, "measured", 2.5, 0)
    ]
    alone = changes(drill(115, "pg1", "pg2", 2))
    assert told(alone, "source", "old_leader", "outage_s") == [("drill", "pg1", 1.5)]
    assert len(changes(drill(115, "pg1", "pg1", 1))) == 0


@pytest.mark.parametrize("first", ["pg1", "pg2"])
def test_a_drill_that_kills_twice_explains_both_changes_and_is_one_outage(first):
    """The second was told of the next drill, which restarted the leader and changed nothing."""
    twice = drill(130, "pg3", "pg1", 8, outage=3.3)
    twice["data"].update(timeline_before=6, fault="leader_killed_twice")
    restarted = drill(150, "pg1", "pg1", 8, outage=1.1)
    restarted["data"].update(timeline_before=8, fault="leader_restarted")
    recorded = [role(first, 110), line(6, first, 110), role("pg1", 114), line(7, "pg1", 114), twice, restarted]
    found = changes(*recorded)
    assert told(found, "new_leader", "fault", "how", "outage_s") == [
        (first, "leader_killed_twice", "measured", 3.3), ("pg1", "leader_killed_twice", "part", None),
    ]  # fmt: skip
    counted = availability.outages(found, drills.all_drills(recorded))
    assert [outage["seconds"] for outage in counted] == [3.3, 1.1]


def test_a_switchover_is_told_as_such_and_reckoned():
    asked = event("switchover/finished", "lb1", 103, old_leader="pg1", new_leader="pg2", timeline=2)
    found = changes(event("postgresql/stopped", "pg1", 98.5, role="replica"), role("pg2", 100), asked,
                    event("postgresql/started", "pg1", 0, role="primary"))  # fmt: skip
    assert told(found, "why", "how", "outage_s") == [("switchover", "reckoned", 1.5)]


def test_a_leader_that_stepped_down_first_is_told_apart_from_one_that_broke():
    begin = event("postgresql/started", "pg1", 0, role="primary")
    assert told(changes(begin, role("pg1", 95, leads=False), role("pg2", 100)), "why", "outage_s") == [("orderly", 5)]
    assert told(changes(begin, role("pg2", 100)), "why", "how", "outage_s") == [("failover", "assumed", 20.0)]


@pytest.mark.parametrize(
    "data",
    [{}, {"timeline": "x"}, {"timeline": 1, "new_leader": 5}, {"timeline": 1, "new_leader": "pg1", "time": "soon"},
     {"timeline": 10**400, "new_leader": "pg1", "time": []}, {"role": ["primary"]}],
)  # fmt: skip
def test_strange_words_break_nothing(data):
    for kind in ("timeline/ended", "role/changed", "postgresql/stopped", "switchover/finished", "drill/finished"):
        changes(event(kind, "pg1", 5, **data), role("pg2", 6))


def test_who_led_when():
    recorded = [event("postgresql/started", "pg1", 0, role="primary"), role("pg2", 100), role("pg1", 200)]
    spans = failovers.leaders(recorded, changes(*recorded), events.stamp(BEGIN + timedelta(seconds=300)))
    assert [span["leader"] for span in spans] == ["pg1", "pg2", "pg1"]
    assert spans[-1]["end"] == events.stamp(BEGIN + timedelta(seconds=300))
    assert failovers.leaders([], [], None) == []


def test_availability_is_reckoned_from_outages():
    recorded = [role("pg2", 100), line(1, "pg2", 100), drill(115, "pg1", "pg2", 2, outage=36.0)]
    found = availability.outages(changes(*recorded), drills.all_drills(recorded))
    assert [outage["seconds"] for outage in found] == [36.0]
    rows = availability.windows(found, events.stamp(BEGIN), BEGIN + timedelta(hours=1))
    assert [(row["outages"], row["drills"], row["available"]) for row in rows] == [(1, 1, 0.99)] * 3
    late = availability.windows(found, events.stamp(BEGIN), BEGIN + timedelta(days=2))
    assert [row["outages"] for row in late] == [0, 1, 1]
    assert availability.windows([], None, BEGIN) == []


def test_an_outage_without_a_change_of_the_leader_counts_once():
    recorded = [drill(115, "pg1", "pg1", 1, outage=4.0)]
    found = availability.outages(changes(*recorded), drills.all_drills(recorded))
    assert [outage["seconds"] for outage in found] == [4.0]


def test_verify_names_what_the_report_lacks():
    found = changes(role("pg2", 100), line(1, "pg2", 100))
    lines = [
        {"timeline": 1, "new_leader": "pg2", "time": (BEGIN + timedelta(seconds=100)).isoformat()},
        {"timeline": 2, "new_leader": "pg1", "time": (BEGIN + timedelta(seconds=200)).isoformat()},
        {"timeline": 0, "new_leader": None, "time": None},
    ]
    assert verify.missing(lines[:1], found) == []
    assert verify.missing(lines, found) == ["timeline 3: pg1 took over at 2026-11-24T18:03:20.000Z"]
