"""Drills: verdict, locks and faults, without a cluster."""

import base64
import contextvars
import dataclasses
import inspect
import json
import time
from collections import Counter
from pathlib import Path

import pytest

from saltroni import bounded, faults, processes, wait
from saltroni.drill import aims, course, lock, outage, peer, preflight, result, strike, verdict, whole, writers
from saltroni.etcd import gateway
from saltroni.failover.promise import Promise
from saltroni.haproxy import descriptors
from saltroni.patroni import view
from saltroni.pillar import model, schema

# verdict

GOOD = {
    "bound_s": 2.0, "outage_s": 1.2, "came_back": True, "checked": True, "lost": 0, "acknowledged": 900,
    "duplicated": 0,
    "refused_but_present": 0, "whole": True, "missing": [], "lock_lost": None,
}  # fmt: skip


def test_a_good_drill_passes():
    assert verdict.reasons(GOOD) == []
    assert verdict.reasons({**GOOD, "bound_s": None, "outage_s": 99.0}) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outage_s": 2.01}, "2 s was promised"),
        ({"came_back": False, "outage_s": 60.0}, "didn't come back"),
        ({"lost": 3}, "3 of 900 acknowledged rows are lost"),
        ({"duplicated": 1}, "more than once"),
        ({"refused_but_present": 1}, "were refused"),
        ({"checked": False}, "couldn't be compared"),
        ({"whole": False, "missing": ["pg3 hasn't replayed the marker row"]}, "pg3 hasn't replayed"),
        (
            {"overlap": {"rows": 7, "lasted_s": 3.5, "direct_rows": 90}, "overlap_forbidden": True},
            "two members took writes at once: 7 rows",
        ),
        ({"overlap": {"rows": 0, "lasted_s": 0.0, "direct_rows": 0}}, "wasn't seen"),
        ({"lock_lost": "it could not be kept alive"}, "another drill"),
    ],
)
def test_each_failure_fails_the_drill(change, words):
    assert words in "; ".join(verdict.reasons({**GOOD, **change}))


# whole


def member(**change):
    return {
        "state": "running", "timeline": 3, "marker": True, "rows": 9, "digest": "d", "history": "2\t0/5\t-", "held": None,
        **change,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"timeline": 2}, "timeline 2"),
        ({"marker": False}, "hasn't replayed the marker"),
        ({"rows": 8}, "other rows than the leader"),
        ({"digest": "e"}, "other rows than the leader"),
        ({"state": "starting"}, "is starting"),
        ({"history": "2\t0/6\t-"}, "another history of timeline 3"),
        ({"held": "begun twice"}, "held out of elections: begun twice"),
        ({"error": "no answer"}, "no answer"),
    ],
)
def test_whole_is_what_every_member_has_replayed(change, words):
    missing = whole.lacking("pg1", {"pg1": member(), "pg-2": member(**change)}, {"pg_2": (True, 9)}, 10)
    assert (words is None and not missing) or words in missing[0]


def test_whole_needs_a_leader_and_its_slots():
    assert "nobody leads" in whole.lacking(None, {}, {})[0]
    assert "is idle" in whole.lacking("pg1", {"pg1": member(), "pg2": member()}, {"pg2": (False, 0)})[0]
    assert "is missing" in whole.lacking("pg1", {"pg1": member(), "pg2": member()}, {})[0]
    assert "11 bytes behind" in whole.lacking("pg1", {"pg1": member(), "pg2": member()}, {"pg2": (True, 11)}, 10)[0]
    assert "None bytes" in whole.lacking("pg1", {"pg1": member(), "pg2": member()}, {"pg2": (True, None)}, 10)[0]


# etcd and the lock


def test_transactions_are_as_the_gateway_takes_them():
    body = gateway.put_if_absent("/k", "v", "77")
    assert base64.b64decode(body["compare"][0]["key"]) == b"/k"
    assert body["compare"][0]["create_revision"] == "0"
    assert body["success"][0]["request_put"]["lease"] == "77"
    json.dumps(body)


def test_what_a_failed_transaction_found():
    pair = {"key": gateway.encode("/k"), "value": gateway.encode("häld")}
    assert gateway.found({"responses": [{"response_range": {"kvs": [pair]}}]}) == "häld"
    assert gateway.found({"responses": [{"response_range": {}}]}) is None
    assert gateway.found({"succeeded": True}) is None


class FakeEtcd:
    """The gateway's answers for one key."""

    def __init__(self, value=None):
        self.value = value
        self.calls = []

    def call(self, path, body):
        self.calls.append(path)
        if path.endswith("grant"):
            return {"ID": "77"}
        if path.endswith("txn"):
            if self.value is None:
                self.value = gateway.decode(body["success"][0]["request_put"]["value"])
                return {"succeeded": True}
            return {"responses": [{"response_range": {"kvs": [{"value": gateway.encode(self.value)}]}}]}
        return {}


def test_a_lock_is_taken_once_and_names_its_holder():
    etcd = FakeEtcd()
    lock.take(etcd, "/k", {"drill": "a", "node": "lb1"})
    with pytest.raises(lock.LockHeld, match="lb1"):
        lock.take(etcd, "/k", {"drill": "b", "node": "lb2"})
    assert etcd.calls[-1].endswith("revoke")
    # its own key, put by a try whose answer was lost
    lock.take(etcd, "/k", {"drill": "a", "node": "lb1"})


def test_a_lock_that_could_not_be_kept_is_lost():
    present = [0.0]
    held = lock.Lock(FakeEtcd(), "77", clock=lambda: present[0])
    held.check()
    present[0] = lock.TTL_S + 1
    with pytest.raises(lock.LockLost):
        held.check()


# faults


@pytest.fixture
def built(settings):
    told_to = model.build(settings)
    return dict(told_to, self=dict(told_to["nodes"]["pg1"], name="pg1"))


def sources(module):
    """Text of a fault's file and of the helpers that it imports."""
    used = [part for part in vars(module).values() if getattr(part, "__name__", "").startswith("saltroni.faults.")]
    files = {part.__file__ for part in [module, *used] if hasattr(part, "__file__")}
    return "".join(Path(file).read_text() for file in files)


def test_every_fault_is_found_and_complete(built):
    known = faults.known()
    assert {"postmaster_killed", "patroni_frozen"} <= set(known)
    promise = Promise.of(built)
    for name, fault in known.items():
        assert fault.summary, name
        assert fault.role is None or fault.role in schema.ROLES, name
        assert all(part.aim in aims.AIMS and faults.named(part.fault).single for part in fault.strikes), name
        cost = fault.cost(promise)
        assert 0 <= cost.least_s < cost.most_s, name
        assert fault.visible_after_s(built) <= fault.lasts_s(built) or fault.lasts_s(built) == 0, name
        if fault.single:
            assert all(callable(getattr(fault, part)) for part in ("inject", "heal", "active")), name
            assert not fault.lasts_s(built) or "healer.arm" in sources(inspect.getmodule(fault.inject)), name


def test_a_new_fault_is_one_new_file(tmp_path, monkeypatch):
    (tmp_path / "moon_full.py").write_text("SUMMARY = 'strange things'\ndef inject(target, deadline_s): pass\n")
    monkeypatch.setattr(faults, "__path__", [*faults.__path__, str(tmp_path)])
    found = faults.known(faults.__path__)["moon_full"]
    assert (found.role, found.aim, found.single, found.strikes[0].fault) == ("patroni", "leader", True, "moon_full")


def test_unknown_faults_are_refused():
    with pytest.raises(faults.FaultError, match="postmaster_killed"):
        faults.named("nonsense")


def test_faults_are_refused_where_not_allowed_or_out_of_place(built):
    fault = faults.named("postmaster_killed")
    faults.may(built, fault)
    with pytest.raises(faults.FaultError, match="pg1, pg2, pg3"):
        faults.may(dict(built, self={"name": "lb1", "roles": ["haproxy"]}), fault)
    with pytest.raises(faults.FaultError, match="saltroni:drills:allowed"):
        faults.may(dict(built, drills={"allowed": False}), fault)
    with pytest.raises(faults.FaultError, match="saltroni:drills:allowed"):
        faults.may(dict(built, drills={"allowed": "**********"}), fault)


def fake_process(proc, pid, program, cwd):
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "exe").symlink_to(program)
    (proc / str(pid) / "cwd").symlink_to(cwd)


def test_only_the_postgres_of_this_directory_is_the_postmaster(tmp_path):
    data, proc = tmp_path / "17" / "demo", tmp_path / "proc"
    data.mkdir(parents=True)
    with pytest.raises(processes.ProcessError, match="isn't running"):
        processes.postmaster(data, proc)
    (data / "postmaster.pid").write_text(f"42\n{data}\n1\n5432\n")
    with pytest.raises(processes.ProcessError, match="is gone"):
        processes.postmaster(data, proc)
    fake_process(proc, 42, "/usr/lib/postgresql/17/bin/postgres (deleted)", data)
    assert processes.postmaster(data, proc) == 42
    (data / "postmaster.pid").write_text("43\n")
    fake_process(proc, 43, "/usr/bin/sshd", data)
    with pytest.raises(processes.ProcessError, match="left alone"):
        processes.postmaster(data, proc)
    (data / "postmaster.pid").write_text("44\n")
    fake_process(proc, 44, "/usr/lib/postgresql/17/bin/postgres", tmp_path)
    with pytest.raises(processes.ProcessError, match="left alone"):
        processes.postmaster(data, proc)


# what Salt gives back


def test_peer_answers_are_told_apart():
    assert peer.answer({"pg1": {"fault": "x"}}, "pg1", "fault.inject", "fault") == {"fault": "x"}
    for nothing in ({}, None):
        with pytest.raises(peer.PeerError, match="saltroni:drills:allowed"):
            peer.answer(nothing, "pg1", "fault.inject", "fault")
    with pytest.raises(peer.PeerError, match="boom"):
        peer.answer({"pg1": "ERROR: boom"}, "pg1", "fault.inject", "fault")
    with pytest.raises(peer.PeerError):
        peer.answer({"pg1": {"other": 1}}, "pg1", "fault.inject", "fault")


def test_calls_are_bounded_and_keep_their_context():
    variable = contextvars.ContextVar("variable")
    variable.set("seen")
    assert bounded.call(variable.get, deadline_s=5, what="reading") == "seen"
    with pytest.raises(KeyError):
        bounded.call({}.__getitem__, "no", deadline_s=5, what="failing")
    with pytest.raises(bounded.TookTooLong, match="sleeping"):
        bounded.call(time.sleep, 2, deadline_s=0.05, what="sleeping")


def test_waiting_ends_and_tells_what_was_missing():
    ticks = iter(range(100))

    def never():
        raise wait.NotYet("still nothing")

    with pytest.raises(wait.DeadlineError, match=r"waited 5 s for a sign: still nothing"):
        wait.until(never, "a sign", 5, every_s=1, clock=lambda: next(ticks), sleep=lambda _: None)
    assert wait.until(lambda: 7, "a number", 0) == 7


SEEN = {
    "leader": "pg1",
    "members": {"pg1": {"role": "leader"}, "pg2": {"role": "replica"}, "pg3": {"role": "quorum_standby"}},
    "etcd_leader": "etcd2", "balancer": "lb2", "observer": "lb1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("aim", "nodes"),
    [
        ("leader", ["pg1"]),
        ("a replica", ["pg2"]),
        ("all replicas", ["pg2", "pg3"]),
        ("a sync standby", ["pg3"]),
        ("an etcd follower", ["etcd1"]),
        ("most of etcd", ["etcd1", "etcd3"]),
        ("the load balancer", ["lb2"]),
        ("all nodes but the observer", ["etcd1", "etcd2", "etcd3", "lb2", "pg1", "pg2", "pg3"]),
    ],
)
def test_whom_a_fault_strikes(built, aim, nodes):
    assert sorted(aims.nodes(aim, built, SEEN)) == nodes


def test_the_node_that_tells_the_tale_is_never_taken_away(built):
    assert aims.nodes("leader", built, dict(SEEN, observer="pg1")) == ["pg1"]
    with pytest.raises(aims.NoAim, match="call the drill on another node"):
        aims.nodes("leader", built, dict(SEEN, observer="pg1"), takes_node=True)
    with pytest.raises(aims.NoAim, match="none here now"):
        aims.nodes("a sync standby", built, dict(SEEN, members={"pg1": {"role": "leader"}}))


def test_a_drill_refuses_what_is_not_whole(built):
    outside = course.Outside(
        health=lambda: {"whole": False, "reasons": ["pg3 is no member"], "leader": "pg1"},
        able=lambda *_: None,
        inject=lambda *_: pytest.fail("nothing may be broken"),
        emit=lambda *_: None,
    )
    with pytest.raises(course.Refused, match="pg3 is no member"):
        preflight.preflight(built, course.Options(), outside, faults.named("postmaster_killed"))
    with pytest.raises(course.Refused, match="saltroni:drills:allowed"):
        course.run(dict(built, drills={"allowed": False}), course.Options(), outside)


def test_connections_follow_from_descriptors():
    limits = "Limit Soft Hard Units\nMax processes 1 1 p\nMax open files            1024       20000    files\n"
    assert descriptors.connections(descriptors.of_process(limits)) == 9950
    assert descriptors.connections(50) == 0
    with pytest.raises(ValueError, match="Max open files"):
        descriptors.of_process("")


def test_the_cluster_on_one_screen():
    cluster = {
        "scope": "demo", "pause": True,
        "members": [
            {"name": "pg1", "role": "leader", "state": "running", "timeline": 2, "host": "h"},
            {"name": "pg2", "role": "replica", "state": "streaming", "timeline": 2, "lag": 17, "pending_restart": True},
            {"name": "pg3", "role": "replica", "state": "stopped", "lag": "unknown"},
        ],
    }  # fmt: skip
    seen = view.table(cluster)
    assert (seen["leader"], seen["paused"]) == ("pg1", True)
    assert [seen["members"][name]["lag_bytes"] for name in ("pg1", "pg2", "pg3")] == [0, 17, None]
    assert seen["members"]["pg2"]["pending_restart"]
    assert view.history([[1, 99, "no recovery target specified"]])[0]["new_leader"] is None


@pytest.mark.parametrize(
    ("followed", "whole_at", "rejoined"),
    [
        ([104.0], 105.0, 4.0),
        ([], 105.0, 5.0),  # proven before Patroni's list told of it
        ([104.0], None, None),  # listed, and not proven
    ],
)
def test_when_the_old_leader_is_back(built, followed, whole_at, rejoined):
    watched = {
        "leader": [(99.0, "pg1"), (100.5, None), (100.7, "pg2")], "promoted": [(100.9, "pg2")],
        "servers": [(99.0, ["pg1"])], "followed": followed, "lag": [],
    }  # fmt: skip
    before = {
        "leader": "pg1", "balancer": "lb1", "timeline": 1, "config": {},
        "promised": faults.named("postmaster_killed").cost(Promise.of(built)),
    }  # fmt: skip
    after = {"leader": "pg2", "timeline": 2, "at": whole_at, "missing": [] if whole_at else ["pg1 hasn't replayed"]}
    found = result.result(
        built, course.Options(), before, after, outage.measure({0: [99.9, 101.0]}, 100.0, 101.1), None, Counter(),
        fault_at=100.0, watched=watched, made=[{"fault": "postmaster_killed", "node": "pg1", "monotonic": 100.0}],
        rate=10.0, clock_error_s=0.0, lock_lost=None, busy=0.25,
    )  # fmt: skip
    assert found["phases"]["old_leader_rejoined_s"] == rejoined


def test_writes_that_flow_between_two_strikes_dont_end_the_drill():
    """They did: ``leader_killed_during_apply`` stopped its writers in the moment of the kill, which is the second strike."""
    made = [{"monotonic": 10.0, "wave": 0}, {"monotonic": 13.1, "wave": 1}, {"monotonic": 13.0, "wave": 1}]
    assert strike.last_at(made) == 13.1


def test_a_drill_lasts_as_long_as_what_ends_by_itself(monkeypatch):
    """It ended before: ``state_applied`` was measured for its first seconds, and the next drill met its state runs."""
    monkeypatch.setattr(strike, "ASK_EVERY_S", 0.0)
    runs, silent, done = {"active": ["state_applied"]}, {"error": "no answer within 30 s"}, {"active": []}
    rounds = [{"lb1": runs, "pg1": runs}, {"lb1": done, "pg1": silent}, {"lb1": done, "pg1": done}]
    made = [{"fault": "state_applied", "node": node} for node in ("pg1", "lb1")]
    made.append({"fault": "postmaster_killed", "node": "pg2"})
    asked = []

    def active(nodes):
        asked.append(nodes)
        return rounds[len(asked) - 1]

    outside = course.Outside(health=None, able=None, inject=None, emit=None, active=active)
    strike.over(outside, made)
    assert asked == [["lb1", "pg1"]] * 3
    strike.over(outside, made[2:])
    assert len(asked) == 3
    with pytest.raises(wait.DeadlineError, match="state_applied to end: it lasts on lb1, pg1"):
        strike.over(dataclasses.replace(outside, active=lambda nodes: dict.fromkeys(nodes, runs)), made, deadline_s=0)


def test_a_writer_tries_again_soon_and_after_a_long_outage_a_little_less_often():
    assert [writers.back_off_s(outage_s) for outage_s in (0, 1.9, 10, 90)] == [0.02, 0.02, 0.1, 0.25]


def test_whoever_leads_after_a_crash_may_be_the_one_that_recovered(monkeypatch):
    """With ``async`` a crashed leader recovers in place: the drill waited a minute for another one, and broke off."""
    said = iter(
        [
            {"role": "primary", "state": "running", "postmaster_start_time": "old"},  # hasn't been noticed yet
            {"role": "replica", "state": "starting", "postmaster_start_time": "new"},
            {"role": "primary", "state": "running", "postmaster_start_time": "new"},
        ]
    )

    class Member:
        def __init__(self, *_, **__):
            pass

        def status(self):
            return next(said)

    class Eyes:
        leader = "pg1"

    monkeypatch.setattr(strike.rest, "Member", Member)
    assert strike._leads_again({}, Eyes, "pg1", "old") == "pg1"
    assert next(said, None) is None
    monkeypatch.setattr(strike, "PROMOTION_S", 0.0)
    said = iter([{"role": "replica", "state": "running", "postmaster_start_time": "other"}])
    Eyes.leader = "pg2"
    with pytest.raises(wait.DeadlineError, match="pg2 takes no writes yet"):
        strike._leads_again({}, Eyes, "pg1", "old")
