"""What stands on the master's event bus, made into events: who sent it, when, how much of it, and nothing secret."""

import json
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saltroni.report import changed, events, runs, state_run, tidy

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
JID = "20261124180312123456"


def cluster_of(node):
    return {"pg1": "demo", "pg2": "demo", "pg9": "other"}.get(node)


def sent(data, node="pg1", kind="drill/finished", received="2026-11-24T18:00:00.5", **more):
    event = {"id": "x", "kind": kind, "time": data.get("time"), "data": data, **more}
    return events.delivered(event, node, "demo", events.moment(received))


def returned(states, node="pg1", **more):
    message = {
        "cmd": "_return",
        "id": node,
        "jid": JID,
        "fun": "state.apply",
        "fun_args": [],
        "return": states,
        "retcode": 0,
        "_stamp": "2026-11-24T18:05:00",
        **more,
    }
    return events.from_bus(f"salt/job/{message['jid']}/ret/{node}", message, cluster_of, NOW)


def state(result=True, changes=None, comment="", name="/etc/x", number=0, function="file.managed", identity="Write x"):
    module, verb = function.split(".")
    entry = {
        "name": name,
        "result": result,
        "changes": changes or {},
        "comment": comment,
        "duration": 12.5,
        "__run_num__": number,
        "__id__": identity,
    }
    return {f"{module}_|-{identity}_|-{name}_|-{verb}": entry}


def test_a_delivered_event_is_what_its_sender_says_but_from_whom_the_master_says():
    event = sent({"time": "2026-11-24T17:59:58.25+00:00", "node": "pg2", "verdict": "passed", "__pub_x": 1}, id="d1")
    assert event["id"] == "pg1/d1"
    assert event["node"] == "pg1"
    assert event["cluster"] == "demo"
    assert event["kind"] == "drill/finished"
    assert event["time"] == "2026-11-24T17:59:58.250Z"
    assert event["received"] == "2026-11-24T18:00:00.500Z"
    assert event["data"]["verdict"] == "passed"
    assert "__pub_x" not in event["data"]


def test_the_same_event_has_the_same_id_however_often_it_comes():
    data = {"time": "2026-11-24T17:59:58", "verdict": "passed"}
    again = sent(data, received="2026-11-24T19:00:00")
    assert sent(data)["id"] == again["id"]
    assert sent(data, node="pg2")["id"] != again["id"]


def test_a_node_cannot_speak_for_another():
    assert sent({}, id="pg2/d1")["id"] == "pg1/pg2/d1"
    with pytest.raises(events.Refused, match="isn't the return of that node"):
        returned(state(), id="pg2")
    with pytest.raises(events.Refused, match="isn't the return of that node"):
        returned(state(), cmd="_minion_event")
    forged = sent({"jid": JID, "states": [], "error": "x"}, kind=events.RUN)
    assert (forged["id"], forged["node"]) == (f"{JID}/pg1", "pg1")


@pytest.mark.parametrize("verb", ["noted", "explained"])
def test_a_node_cannot_write_a_persons_notes(verb):
    with pytest.raises(events.Refused, match="written on the master"):
        sent({"text": "all is well"}, kind=f"problem/{verb}")


@pytest.mark.parametrize(
    "strange",
    [
        {"kind": kind} for kind in ("", "a", "a/b/c", "../a", "A/b", "a/", None, 5, ["a/b"])
    ] + [{"id": None}, {"id": ""}, {"id": 7}, {"data": None}, {"data": []}, {"data": "text"}],
)  # fmt: skip
def test_what_is_no_event_is_refused(strange):
    with pytest.raises(events.Refused):
        sent({}, **strange) if "data" not in strange else events.delivered(
            {"id": "x", "kind": "a/b", **strange}, "pg1", "demo", NOW
        )
    with pytest.raises(events.Refused):
        events.delivered("text", "pg1", "demo", NOW)


@pytest.mark.parametrize(
    "run",
    [
        {}, {"states": "x", "error": 5, "function": "cmd.run", "sls": ["x"], "dry": "yes", "jid": 7},
        {"states": [None, {}, {"key": 5, "id": None, "result": "maybe", "seconds": "long", "packages": 3}]},
        {"states": [{"changed": ["x"], "packages": {1: 2}, "held_back": 1, "comment": {"a": 1}, "seconds": -5}]},
    ],
)  # fmt: skip
def test_a_run_that_a_node_kept_is_held_to_its_shape(run):
    kept = sent(run, kind=events.RUN)["data"]
    assert kept["function"] in state_run.FUNCTIONS
    for told in kept["states"]:
        assert told["result"] in (True, False, None)
        assert told["seconds"] >= 0
        assert all(isinstance(told[name], str) for name in ("key", "id", "function"))


def test_a_failed_run_that_comes_both_ways_is_one_run():
    came = returned(state(False))
    spooled = sent({**came["data"], "jid": "20261124180312999999"}, kind=events.RUN)
    assert spooled["id"] != came["id"]
    assert len(runs.all_runs([came, spooled])) == len(runs.all_runs([spooled, came])) == 1
    assert len(runs.all_runs([spooled])) == 1


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59-14:00", "1970-01-01", "soon", 5, None]
)
def test_an_unbelievable_time_becomes_the_time_of_arrival(time):
    assert sent({"time": time})["time"] == "2026-11-24T18:00:00.500Z"


def test_other_messages_are_nothing_for_the_report():
    assert events.from_bus("salt/auth", {"id": "pg1"}, cluster_of) is None
    assert returned({}, fun="test.ping") is None
    assert returned(state(), node="stranger") is None
    assert events.from_bus(f"salt/job/{JID}/new", {}, cluster_of) is None
    assert events.from_bus("saltroni/demo/a/b", {}, cluster_of) is None
    with pytest.raises(events.Refused):
        events.from_bus("salt/job/x", "text", cluster_of)


def test_megabytes_and_depth_are_bounded():
    deep = {}
    for _ in range(500):
        deep = {"x": deep}
    event = sent({"big": "y" * 10_000_000, "many": list(range(100_000)), "deep": deep}, id="x" * 10_000)
    assert len(json.dumps(event)) < 30_000
    assert "characters more" in event["data"]["big"]
    wide = sent({f"name{number}": "z" * 2000 for number in range(5000)})
    assert len(json.dumps(wide)) < 300_000


def test_control_characters_and_bad_numbers_go():
    event = sent({"a": "x\x00\x1b[31m\u202ey\ud800\u200bz\x85", "b": float("nan"), "c": float("inf"), "d": 10**400})
    assert event["data"] == {"a": "x[31myz", "b": None, "c": None, "d": None}
    json.dumps(event, allow_nan=False).encode()


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMHcCAQEE",
        "postgres://app:MHcCAQEE@lb1:5000/app",
        "password=MHcCAQEE host=lb1",
        "restapi_password: 'MHcCAQEE more'",
        '{"token": "MHcCAQEE"}',
        "ALTER ROLE x PASSWORD SCRAM-SHA-256$4096:MHcCAQEE",
        "Authorization: Bearer MHcCAQEE",
    ],
)
def test_what_looks_like_a_secret_is_masked(secret):
    assert "MHcCAQEE" not in tidy.text(f"before {secret} after")
    assert "MHcCAQEE" not in json.dumps(
        sent({"note": secret, "password": "MHcCAQEE", "x": {"etcd_token": ["MHcCAQEE"]}})
    )


def test_a_job_return_is_compacted_and_never_holds_a_diff():
    states = {
        **state(changes={"diff": "--- \n+++ \n@@ -1 +1 @@\n-old = MHc\n+new = MHd\n", "mode": "0600"}, number=1),
        **state(identity="Same", comment="The file is in the correct state", number=2),
        **state(False, comment="No such file", identity="Broken", number=3),
        **state(False, comment="One or more requisite failed: x.Broken", identity="Waits", number=4),
    }
    event = returned(states)
    assert event["id"] == f"{JID}/pg1"
    assert event["kind"] == events.RUN
    run = event["data"]
    assert [entry["id"] for entry in run["states"]] == ["Write x", "Same", "Broken", "Waits"]
    assert run["states"][0]["changed"] == "edited /etc/x: 1 lines added, 1 removed; mode 0600"
    assert "comment" not in run["states"][1]
    assert run["states"][2]["comment"] == "No such file"
    assert [entry.get("held_back") for entry in run["states"]] == [None, None, False, True]
    assert "MHc" not in json.dumps(event)
    assert run["states"][0]["seconds"] == 0.013


@pytest.mark.parametrize("result", [["Rendering SLS 'base:etcd' failed"], "Rendering SLS 'base:etcd' failed"])
def test_a_run_that_could_not_begin_says_why(result):
    run = returned(result, retcode=1)["data"]
    assert run["error"] == "Rendering SLS 'base:etcd' failed"
    assert run["states"] == []


@pytest.mark.parametrize("result", [None, {}, {"x": 1}, {"x": {"result": "maybe"}}, {5: {"result": True}}, 7])
def test_strange_returns_are_survived(result):
    returned(result)
    returned(result, retcode=1)


def test_arguments_that_may_hold_secrets_are_forgotten():
    event = returned(state(), fun_args=["patroni", {"__kwarg__": True, "pillar": {"password": "MHc"}, "test": True}])
    assert event["data"]["sls"] == "patroni"
    assert event["data"]["dry"] is True
    assert "MHc" not in json.dumps(event)


@pytest.mark.parametrize(
    ("function", "name", "changes", "comment", "line"),
    [
        ("file.managed", "/etc/a", {"diff": "New file", "mode": "0644"}, "", "wrote /etc/a; mode 0644"),
        ("file.managed", "/etc/a", {"diff": "<show_changes=False>"}, "", "replaced /etc/a"),
        ("file.directory", "/etc/a", {"/etc/a": "New Dir"}, "", "made /etc/a"),
        ("file.directory", "/etc/a", {"mode": "0700"}, "", "set mode 0700 of /etc/a"),
        (
            "pkg.installed",
            "x",
            {"libfoo": {"old": "", "new": "1"}, "etcd-server": {"old": "3.5", "new": "3.6"}},
            "The following packages were installed/updated: etcd-server",
            "installed etcd-server 3.6 (was 3.5) and 1 more package",
        ),
        ("service.running", "etcd", {"etcd": True}, "", "etcd started"),
        ("cmd.run", "x", {"pid": 5, "retcode": 0, "stdout": "MHc", "stderr": ""}, "", "ran it, exit code 0"),
        ("module.run", "x", {"service.reload": True}, "", "ran service.reload"),
        (
            "etcd_cluster.member",
            "x",
            {"etcd": "founded the cluster", "enabled": True},
            "",
            "etcd founded the cluster; enabled",
        ),
        ("etcd_cluster.access", "x", {"made": ["user root", "role r"]}, "", "made user root, role r"),
        ("user.present", "x", {"uid": 5, "home": "/", "passwd": "MHc"}, "", "made account or group x"),
        ("sysctl.present", "x", {"vm.swappiness": 1}, "", "changed vm.swappiness"),
        ("host.only", "x", {"192.0.2.1": {"old": "", "new": "pg1"}}, "", "/etc/hosts: 192.0.2.1 is pg1"),
        ("file.directory", "/a", {"/a": {"directory": "new"}}, "", "made /a"),
        ("odd.thing", "x", "words", "", "changed x"),
        ("file.managed", "x", {}, "", None),
    ],
)
def test_what_changed_in_one_line(function, name, changes, comment, line):
    assert changed.sentence(function, name, changes, comment) == line


def test_versions_of_packages_are_kept():
    changes = {"etcd-server": {"old": "", "new": "3.5.16-4"}, "gone": {"old": "1", "new": ""}}
    assert changed.packages("pkg.installed", changes) == {"etcd-server": "3.5.16-4"}
    assert changed.packages("file.managed", changes) == {}


def test_a_run_has_at_most_so_many_states():
    states = {f"test_|-s{n}_|-s{n}_|-nop": {"result": True, "__id__": f"s{n}", "__run_num__": n} for n in range(5000)}
    assert len(state_run.compact("state.apply", [], states, 0)["states"]) == state_run.LARGEST


def test_a_run_that_the_reactor_missed_is_the_same_event_from_the_job_cache():
    heard = returned(state(changes={"diff": "New file"}))
    result = {"return": state(changes={"diff": "New file"}), "retcode": 0}
    job = {"Function": "state.apply", "Arguments": [], "Result": {"pg1": result, "stranger": {}}}
    (found,) = events.from_jobs(JID, job, cluster_of)
    assert {**found, "time": "", "received": ""} == {**heard, "time": "", "received": ""}
    assert events.from_jobs(JID, {**job, "Function": "test.ping"}, cluster_of) == []
    assert events.from_jobs("req", job, cluster_of) == []
    assert events.from_jobs(JID, {"Error": "no such job"}, cluster_of) == []


def test_a_rendering_error_is_told_without_its_traceback():
    said = [
        "Rendering SLS 'base:x' failed: no CA yet\nTraceback (most recent call last):\n  File x\n; line 3\n\n---\nx"
    ]
    assert returned(said, retcode=1)["data"]["error"] == "Rendering SLS 'base:x' failed: no CA yet"


def test_the_reaction_hands_on_what_is_a_state_run():
    """It stands by itself on the master's disk, and can't import the list."""
    assert runpy.run_path(str(ROOT / "salt/reactor/job.sls"))["RUNS"] == state_run.FUNCTIONS
