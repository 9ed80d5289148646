"""What the settings in force promise."""

import dataclasses
from pathlib import Path

import pytest

from saltroni import faults
from saltroni.failover.promise import Promise
from saltroni.pillar import model


@pytest.fixture
def promise(settings):
    return Promise.of(model.build(settings))


def test_a_bound_is_the_sum_of_its_terms(promise):
    cost = promise.crash()
    assert cost.told()["bound_s"] == pytest.approx(sum(cost.told()["terms"].values()))
    assert 0 < cost.least_s < 1 < cost.most_s < 3 + cost.told()["terms"].get("the archive is asked", 0)


def test_where_members_ask_the_archive_whoever_takes_over_is_promoted_later(promise):
    without, asks = (dataclasses.replace(promise, asks_archive=asks) for asks in (False, True))
    twice, leaving = {"crash_twice": 4.0}, {"planned": 3.3, "left_in_order": 3.3, "restart": 4.0}
    for kind in ("crash", "crash_twice", "sessions_lost", "lease_end", "planned", "left_in_order", "restart", "power"):
        later_s = getattr(asks, kind)().most_s - getattr(without, kind)().most_s
        assert later_s == pytest.approx({**twice, **leaving}.get(kind, 2.0)), kind
    for kind in ("nothing", "hang", "in_place", "agent_restarts", "proxy_lost"):
        assert getattr(asks, kind)() == getattr(without, kind)(), kind


def test_what_patroni_says_counts_more_than_the_pillar(settings):
    built = model.build(settings)
    assert Promise.of(built, {"ttl": 30}).lease_end().most_s == Promise.of(built).lease_end().most_s + 10


def test_a_leader_that_may_recover_in_place_takes_longer(settings):
    settings["postgresql"]["replication"] = "async"
    slow = Promise.of(model.build(settings))
    assert slow.crash().told()["terms"]["recovery in place"] == 30
    assert slow.crash().loses and not slow.synchronous()


def test_the_silent_may_be_asked_twice_where_commits_wait_for_a_standby(promise):
    costs = {name: dataclasses.replace(promise, replication=name) for name in ("async", "sync", "quorum", "strict")}
    waits = {name for name, one in costs.items() if "a first standby" in one.lease_end().told()["terms"]}
    assert waits == {"quorum", "strict"}
    assert not any("a first standby" in one.lease_end(silent=False).told()["terms"] for one in costs.values())


def test_the_proxy_lets_go_before_the_lease_ends(promise):
    assert promise.release_s == pytest.approx(5.5)
    assert promise.release_s < promise.ttl_s - promise.loop_wait_s


def test_every_term_has_a_least_and_a_most(promise):
    for cost in (promise.nothing(), promise.hang(), promise.in_place(), promise.lease_end(), promise.planned(),
                 promise.proxy_lost(), promise.lasting(30), promise.power()):  # fmt: skip
        assert all(0 <= least <= most for _, least, most in cost.terms)


def without(settings, **guard):
    """The promise with parts of the lease guard switched otherwise."""
    return Promise.of(model.build({**settings, "guard": {**settings["guard"], **guard}}))


def test_the_guard_saves_a_round_of_patroni_where_rounds_are_long(settings):
    wide = {**settings, "preset": "wide"}
    woken, alone = (without(wide, wake=wake).crash().told()["terms"]["detection"] for wake in (True, False))
    assert (woken, alone) == (1.1, 5.0)
    assert without(settings, enabled=False).crash() == without(settings, wake=False).crash()


def test_a_postmaster_may_die_while_patroni_asks_it(promise):
    """Seen: the leader's key was given up 1.34 s after the kill, writes were out for 2.07 s where 1.9 s was promised."""
    assert promise.crash().told()["terms"]["detection"] >= 0.1 + 0.8 + 0.15


def test_the_guard_makes_a_crash_of_a_frozen_postmaster(promise, settings):
    assert promise.no_new_sessions(15).most_s == pytest.approx(12 + promise.crash().most_s)
    assert without(settings, connections=False).no_new_sessions(15).told()["terms"]["fault"] == 15


def test_the_model_page_names_every_fault():
    page = (Path(__file__).parents[2] / "docs" / "failover-model.md").read_text(encoding="utf-8")
    assert [name for name in faults.known() if f"`{name}`" not in page] == []


def test_standbys_behind_a_network_that_was_cut_wait_for_tcp(settings):
    """Seen with ``strict``: links cut for 30 s, writes out for 45.8 s where 31.9 s was promised."""
    strict = dataclasses.replace(Promise.of(model.build(settings)), replication="strict")
    cut = strict.standbys_lost(2, 30, boots=False)
    assert 45.8 < cut.most_s < 2 * 45.8
    assert "TCP tries again" not in strict.standbys_lost(2, 30).told()["terms"]
