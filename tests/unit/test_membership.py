"""What a node does to be a member of etcd, and what it sends to agree on settings."""

import pytest

from saltroni.etcd import membership
from saltroni.patroni import member
from saltroni.pillar import model

URL = "https://192.168.56.13:2380"
OTHERS = [
    {"id": "1", "name": "etcd1", "peer_url": "https://192.168.56.11:2380"},
    {"id": "2", "name": "etcd2", "peer_url": "https://192.168.56.12:2380"},
]
ME = {"id": "3", "name": "etcd3", "peer_url": URL}
ADDED = {"id": "4", "name": "", "peer_url": URL}


@pytest.mark.parametrize(
    ("holds_data", "known", "lonely", "action"),
    [
        (False, None, [], "found"),
        (False, None, ["etcd1"], "wait"),
        (True, None, [], "start"),
        (True, None, ["etcd1"], "start"),
        (True, [*OTHERS, ME], [], "start"),
        (False, [*OTHERS, ME], [], "replace"),
        (False, OTHERS, [], "replace"),
        (False, [*OTHERS, ADDED], [], "join"),
        (True, OTHERS, [], "replace"),
        (True, [*OTHERS, ADDED], [], "replace"),
    ],
)
def test_decision(holds_data, known, lonely, action):
    assert membership.decide("etcd3", URL, holds_data, known, lonely) == action


def test_members_that_found_a_cluster_at_this_moment_are_waited_for():
    looks = [("wait", ["etcd1"]), ("wait", ["etcd1"]), ("replace", [])]
    assert membership.settled(lambda: looks.pop(0), 5, every_s=0.01) == ("replace", [])


def test_members_that_lost_their_quorum_are_not_waited_for_beyond_the_deadline():
    assert membership.settled(lambda: ("wait", ["etcd1"]), 0.05, every_s=0.01) == ("wait", ["etcd1"])


def test_a_young_cluster_refuses_new_members_for_a_moment(settings, monkeypatch):
    shape = model.build(settings)
    asked = []
    monkeypatch.setattr(membership.wait, "until", lambda call, what, deadline_s, every_s: _patient(call))
    monkeypatch.setattr(membership.ctl, "members", lambda _model, _names: [*OTHERS, ME] if not asked else OTHERS)

    def run(_model, _names, *arguments):
        asked.append(arguments[1])
        if asked == ["remove", "add"]:
            raise membership.ctl.EtcdError("member add at etcd1: etcdserver: unhealthy cluster")

    monkeypatch.setattr(membership.ctl, "run", run)
    assert membership.renew(shape, "etcd3", ["etcd1", "etcd2"]) == ["member 3 removed", "added as a new member"]
    assert asked == ["remove", "add", "add"]


def _patient(call):
    for _ in range(5):
        try:
            return call()
        except membership.wait.NotYet:
            continue
    raise AssertionError("never ready")


def test_join_settings_name_every_member():
    text = membership.join_settings("t", {"etcd2": "https://b:2380", "etcd1": "https://a:2380"}, "existing")
    assert 'ETCD_INITIAL_CLUSTER="etcd1=https://a:2380,etcd2=https://b:2380"' in text
    assert 'ETCD_INITIAL_CLUSTER_STATE="existing"' in text


@pytest.mark.parametrize(
    ("dead", "own", "told"),
    [
        ([], None, []),
        (["etcd1"], None, []),
        (["etcd1", "etcd2"], None, ["etcd1", "etcd2"]),
        (["etcd1", "etcd2", "etcd3"], "etcd3", ["etcd1", "etcd2"]),
        (["etcd1", "etcd3"], "etcd3", []),
    ],
)
def test_silence_counts_when_no_quorum_can_be(settings, monkeypatch, dead, own, told):
    shape = model.build(settings)
    addresses = {shape["nodes"][name]["address"] for name in dead}
    monkeypatch.setattr(membership, "port_open", lambda address, _port: address not in addresses)
    assert membership.silent(shape, 2380, own) == told


def test_same_settings_need_no_change():
    wanted = {"ttl": 20, "synchronous_mode": "quorum", "postgresql": {"parameters": {"work_mem": "4MB"}}}
    assert member.differences(wanted, wanted) == {}


def test_a_program_that_is_gone_is_not_called_any_more():
    """Where backups were switched off: a replica that is made later lacks the program, and wouldn't start."""
    wanted = {"postgresql": {"use_slots": True}}
    ours = {
        "recovery_conf": {
            "restore_command": "test -x /usr/local/lib/saltroni/fetch && /usr/local/lib/saltroni/fetch %f %p"
        }
    }
    somebodys = {"recovery_conf": {"restore_command": "cp /archive/%f %p"}}
    assert member.differences(wanted, {"postgresql": {"use_slots": True, **ours}}) == {
        "postgresql": {"recovery_conf": None}
    }
    assert member.differences(wanted, {"postgresql": {"use_slots": True, **somebodys}}) == {}
    assert member.differences({"postgresql": ours}, {"postgresql": ours}) == {}


def test_differences_keep_what_others_set_and_drop_old_parameters():
    wanted = {"ttl": 20, "failsafe_mode": True, "postgresql": {"parameters": {"work_mem": "4MB"}}}
    actual = {
        "ttl": 30,
        "pause": True,
        "failsafe_mode": "True",
        "postgresql": {"use_slots": True, "parameters": {"work_mem": "4MB", "jit": "off"}},
    }
    assert member.differences(wanted, actual) == {
        "ttl": 20,
        "failsafe_mode": True,
        "postgresql": {"parameters": {"jit": None}},
    }


LEADER = {"name": "pg1", "role": "leader", "timeline": 3}


@pytest.mark.parametrize(
    ("status", "whole"),
    [
        ({"state": "running", "role": "primary"}, True),
        ({"state": "running", "role": "replica", "timeline": 3, "replication_state": "streaming"}, True),
        ({"state": "running", "role": "replica", "timeline": 2, "replication_state": "streaming"}, False),
        ({"state": "running", "role": "replica", "timeline": 3}, False),
        ({"state": "starting", "role": "replica"}, False),
    ],
)
def test_a_member_is_whole_only_when_it_follows(status, whole):
    assert member.standing(status, {"members": [LEADER]})[0] is whole


def test_members_may_say_the_old_settings_for_a_while_after_a_change(monkeypatch):
    """Each answers by what it last read: with ``loop_wait`` 5 s a state failed, "Patroni didn't take" what all had taken."""
    said = iter([{"ttl": 20}, {"ttl": 20}, {"ttl": 45}])
    model = {"dcs": {"ttl": 45}}
    monkeypatch.setattr(member.rest, "ask_any", lambda model, path: next(said))
    monkeypatch.setattr(member.wait.time, "sleep", lambda seconds: None)
    member.taken(model, 60)
    assert next(said, None) is None
    monkeypatch.setattr(member.rest, "ask_any", lambda model, path: {"ttl": 20})
    with pytest.raises(member.wait.DeadlineError, match=r"left is {'ttl': 45}"):
        member.taken(model, 0)
