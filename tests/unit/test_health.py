"""The judgement of a cluster: each thing that can be wrong, from facts as the parts give them."""

import copy

import pytest

from saltroni import words
from saltroni.haproxy import stats
from saltroni.health import gather, judge, symptoms
from saltroni.pillar import model
from saltroni.spool import looking

MEMBERS = ("pg1", "pg2", "pg3")


def row(backend, server, up):
    return {"backend": backend, "server": server, "status": "UP" if up else "DOWN", "up": up, "last_check": "L7OK"}


def balancer(leader="pg1", replicas=("pg2", "pg3")):
    return {
        "servers": [row("leader", name, name == leader) for name in MEMBERS]
        + [row("replicas", name, name in replicas) for name in MEMBERS]
    }


def status(role, timeline=5, position=1000):
    if role == "primary":
        receivers = [{"application_name": name, "state": "streaming"} for name in ("pg2", "pg3")]
        return {
            "state": "running", "role": role, "timeline": timeline,
            "xlog": {"location": position}, "replication": receivers,
        }  # fmt: skip
    return {
        "state": "running", "role": role, "timeline": timeline, "replication_state": "streaming",
        "xlog": {"received_location": position, "replayed_location": position},
    }  # fmt: skip


@pytest.fixture
def told(settings):
    built = model.build(settings)
    return dict(built, self=dict(built["nodes"]["lb1"], name="lb1"))


@pytest.fixture
def facts(told):
    leading = status("primary")
    return {
        "cluster": {
            "scope": "demo",
            "leader": "pg1",
            "paused": False,
            "members": {
                "pg1": {"role": "leader", "state": "running", "timeline": 5, "lag_bytes": 0},
                "pg2": {"role": "quorum_standby", "state": "streaming", "timeline": 5, "lag_bytes": 0},
                "pg3": {"role": "quorum_standby", "state": "streaming", "timeline": 5, "lag_bytes": 0},
            },
        },
        "config": copy.deepcopy(told["dcs"]),
        "members": {"pg1": leading, "pg2": status("replica"), "pg3": status("replica")},
        "leader_later": leading,
        "still": {},
        "lineage": None,
        "etcd": {name: {"healthy": True, "reason": ""} for name in ("etcd1", "etcd2", "etcd3")},
        "balancers": {"lb1": balancer(), "lb2": balancer()},
        "certificates_days": {"etcd1 etcd": 89.0, "pg1 PostgreSQL": 89.0},
        "watchdog": None,
        "guards": {name: {"parts": ["connections", "lease", "wake"]} for name in MEMBERS},
    }


def judged(told, facts):
    result = judge.judge(told, facts)
    return result["verdict"], result["whole"], " | ".join(result["reasons"])


def test_a_well_cluster_is_ok_and_shows_its_facts(told, facts):
    result = judge.judge(told, facts)
    assert (result["verdict"], result["whole"], result["reasons"]) == ("ok", True, [])
    assert (result["leader"], result["timeline"]) == ("pg1", 5)
    assert result["members"]["pg2"]["replay_lag_bytes"] == 0
    assert result["balancers"]["lb1"] == {"leader": ["pg1"], "replicas": ["pg2", "pg3"]}


def broken(facts, name):  # noqa: PLR0912, PLR0915 - one line a fault
    members, rows = facts["members"], facts["cluster"]["members"]
    match name:
        case "etcd one":
            facts["etcd"]["etcd2"] = {"error": "refused"}
        case "etcd two":
            facts["etcd"]["etcd2"] = facts["etcd"]["etcd3"] = {"healthy": False, "reason": "NO LEADER"}
        case "nobody answers":
            facts["cluster"] = facts["config"] = {"error": "no member answers"}
            facts["leader_later"] = None
        case "no leader":
            facts["cluster"]["leader"], facts["leader_later"] = None, None
            rows["pg1"]["role"] = "replica"
        case "leader is starting":
            rows["pg1"]["state"] = "starting"
        case "paused":
            facts["cluster"]["paused"] = True
        case "member gone":
            del rows["pg3"]
            members["pg3"] = {"error": "no answer"}
        case "unknown member":
            rows["pg9"] = dict(rows["pg3"])
        case "other timeline":
            members["pg3"]["timeline"] = 4
        case "not sent to":
            facts["leader_later"]["replication"] = [{"application_name": "pg2", "state": "streaming"}]
        case "another history":
            members["pg3"]["xlog"]["replayed_location"] = 5000
        case "far behind":
            facts["leader_later"]["xlog"]["location"] = 10**9
        case "held":
            members["pg3"]["tags"] = {"nofailover": True, "saltroni_held": "timeline 5 was begun twice"}
        case "held and silent":
            rows["pg3"]["tags"] = {"saltroni_held": "timeline 5 was begun twice"}
            facts["balancers"]["lb1"] = balancer(replicas=("pg2",))
            members["pg3"] = {"error": "refused"}
        case "stands still":
            facts["still"] = {"pg3": 900}
        case "replay paused":
            facts["still"] = {"pg3": 900}
            members["pg3"]["xlog"]["paused"] = True
        case "nobody compares":
            facts["lineage"] = {"age_s": 500.0, "verdict": "same"}
        case "never compared":
            facts["lineage"] = {"error": "No such file"}
        case "pending restart":
            members["pg2"]["pending_restart"] = True
        case "nobody confirms":
            rows["pg2"]["role"] = rows["pg3"]["role"] = "replica"
        case "failsafe off":
            facts["config"]["failsafe_mode"] = False
        case "other settings":
            facts["config"]["ttl"] = 30
        case "balancer silent":
            facts["balancers"]["lb2"] = {"error": "refused"}
        case "balancers silent":
            facts["balancers"] = {"lb1": {"error": "refused"}, "lb2": {"error": "refused"}}
        case "two leaders":
            facts["balancers"]["lb1"]["servers"][1]["up"] = True
        case "false leader":
            facts["balancers"]["lb1"] = balancer("pg2")
        case "no reads":
            facts["balancers"]["lb1"] = balancer(replicas=("pg2",))
        case "guard silent":
            facts["guards"]["pg2"] = {"error": "refused"}
        case "guard stands back":
            facts["guards"]["pg2"]["stands_back"] = True
        case "guard does less":
            facts["guards"]["pg2"]["parts"] = ["wake"]
        case "certificate old":
            facts["certificates_days"]["etcd1 etcd"] = 10.0
        case "certificate ends":
            facts["certificates_days"]["etcd1 etcd"] = 2.0
        case "certificate refused":
            facts["certificates_days"]["etcd1 etcd"] = {"error": "certificate verify failed"}
        case _:
            raise ValueError(name)


@pytest.mark.parametrize(
    ("name", "verdict", "whole", "words"),
    [
        ("etcd one", "warning", False, "etcd lacks 1 of 3 members (etcd2: refused)"),
        ("etcd two", "critical", False, "no quorum"),
        ("nobody answers", "critical", False, "answers nowhere"),
        ("no leader", "critical", False, "writes are stopped"),
        ("leader is starting", "critical", False, "its PostgreSQL is starting"),
        ("paused", "warning", False, "patroni.resume"),
        ("member gone", "warning", False, "pg3 is no member"),
        ("unknown member", "warning", False, "pg9 is a member"),
        ("other timeline", "warning", False, "pg3 is on timeline 4, the leader pg1 on 5"),
        ("not sent to", "warning", False, "pg1 sends it nothing"),
        ("another history", "critical", False, "4000 bytes that the leader pg1 never wrote"),
        ("far behind", "warning", False, "won't be promoted"),
        ("held", "critical", False, "begun twice: patroni.reinitialize pg3"),
        ("held and silent", "critical", False, "pg3 has another history"),
        ("stands still", "warning", False, "replayed nothing for seconds: if"),
        ("replay paused", "warning", False, "pg_wal_replay_resume"),
        ("nobody compares", "warning", True, "500 s old"),
        ("never compared", "warning", True, "No such file"),
        ("pending restart", "warning", True, "wait for a restart"),
        ("guard silent", "warning", True, "the lease guard of pg2 doesn't answer (refused)"),
        ("guard stands back", "warning", True, "the lease guard of pg2 stopped PostgreSQL too often"),
        ("guard does less", "warning", True, "the lease guard of pg2 guards wake instead of connections, lease, wake"),
        ("nobody confirms", "warning", False, "may lose commits"),
        ("failsafe off", "warning", False, "failsafe_mode is off"),
        ("other settings", "warning", True, "ttl is 30 instead of 20"),
        ("balancer silent", "warning", False, "lb2: refused"),
        ("balancers silent", "critical", False, "lb1: refused; lb2: refused"),
        ("two leaders", "critical", False, "pg1 and pg2"),
        ("false leader", "critical", False, "writes to pg2 instead of pg1"),
        ("no reads", "warning", False, "gives pg3 no reads"),
        ("certificate old", "warning", True, "10 more days"),
        ("certificate ends", "critical", True, "2 more days"),
        ("certificate refused", "critical", False, "etcd1 etcd is refused"),
    ],
)
def test_each_thing_that_is_wrong_is_told(told, facts, name, verdict, whole, words):
    broken(facts, name)
    seen = judged(told, facts)
    assert seen[:2] == (verdict, whole)
    assert words in seen[2]


@pytest.mark.parametrize(
    ("mode", "seen", "verdict"),
    [
        ("automatic", {"device": "/dev/watchdog", "exists": True, "held": True}, "ok"),
        ("automatic", {"device": "/dev/watchdog", "exists": True, "held": False}, "warning"),
        ("automatic", {"device": "/dev/watchdog", "exists": False, "held": False}, "ok"),
        ("required", {"device": "/dev/watchdog", "exists": False, "held": False}, "critical"),
        ("off", {"device": "/dev/watchdog", "exists": True, "held": False}, "ok"),
    ],
)
def test_the_watchdog_counts_on_the_leader_only(told, facts, mode, seen, verdict):
    facts["watchdog"] = seen
    told["patroni"]["watchdog"] = mode
    assert judge.judge(told, facts)["verdict"] == "ok"
    told["self"]["name"] = "pg1"
    assert judge.judge(told, facts)["verdict"] == verdict


def test_async_clusters_need_no_standby_that_confirms(told, facts):
    told["dcs"]["synchronous_mode"] = facts["config"]["synchronous_mode"] = False
    facts["cluster"]["members"]["pg2"]["role"] = facts["cluster"]["members"]["pg3"]["role"] = "replica"
    assert judged(told, facts)[0] == "ok"


def test_statistics_are_parsed_and_other_text_is_refused():
    text = (
        "# pxname,svname,qcur,scur,stot,status,chkfail,lastchg,check_status,check_code,last_chk,\n"
        "leader,FRONTEND,,2,9,OPEN,,,,,,\n"
        "leader,pg1,0,2,7,UP,1,30,L7OK,200,OK,\n"
        "leader,pg2,0,0,0,DOWN 1/2,3,40,L7STS,503,,\n"
        "leader,BACKEND,0,2,9,UP,,,,,,\n"
    )
    rows = stats.parse(text)
    assert [(one["server"], one["up"], one["sessions"]) for one in rows] == [("pg1", True, 2), ("pg2", False, 0)]
    assert stats.up(rows, "leader") == ["pg1"]
    with pytest.raises(ValueError, match="isn't HAProxy"):
        stats.parse("<html>")


@pytest.mark.parametrize(
    ("status", "up"),
    [("UP", True), ("UP 1/2", True), ("no check", True), ("DOWN", False), ("DOWN 1/2", False), ("MAINT", False),
     ("DRAIN", False), ("NOLB", False)],
)  # fmt: skip
def test_what_counts_as_up(status, up):
    assert stats.is_up(status) is up


def test_errors_of_the_http_library_are_cut_to_their_reason():
    wrapped = (
        "HTTPSConnectionPool(host='h', port=1): Max retries exceeded with url: /x (Caused by "
        "NewConnectionError(\"HTTPSConnection(host='h', port=1): Failed: [Errno 111] Connection refused\"))"
    )
    assert words.plain(f"pg1: {wrapped}; pg2: {wrapped}") == "pg1: Connection refused; pg2: Connection refused"
    assert words.plain(ValueError("as it is")) == "as it is"
    assert words.plain(KeyError()) == "KeyError"
    assert words.plain(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"


def test_standing_still_is_told_from_lag(told, facts, monkeypatch):
    """pg2 is behind and moves, pg3 doesn't."""
    facts["leader_later"]["xlog"]["location"] = 2000
    places = iter(range(1001, 1100))

    def asked(model, name):
        return {"xlog": {"replayed_location": next(places) if name == "pg2" else 1000}}

    monkeypatch.setattr(gather, "_status", asked)
    ticks = iter(range(100))
    assert gather.standing_still(told, facts, lambda: next(ticks), lambda _: None) == {"pg3": 1000}
    facts["leader_later"] = {"error": "no answer"}
    assert gather.standing_still(told, facts) == {}


def test_the_word_of_the_service_on_this_node_has_an_age(tmp_path):
    assert "error" in gather.lineage(tmp_path / "none.json")
    (tmp_path / "state.json").write_text('{"at_unix": 0, "verdict": "same", "sentence": "", "held": null}')
    assert gather.lineage(tmp_path / "state.json")["age_s"] > 10**9


def test_a_held_member_is_not_told_twice(told, facts):
    broken(facts, "held and silent")
    assert "gives pg3 no reads" not in judged(told, facts)[2]


def test_what_waits_for_the_archive_is_told_where_backups_are_made(told, facts):
    seen = {
        "waiting": 3, "oldest": "000000010000000000000001", "oldest_s": 700.0, "wal_bytes_s": 1e6, "free_bytes": 3.6e9,
        "disk_left_s": 3600, "warn_unarchived_s": 120, "warn_disk_left_s": 14400, "success": None, "failure": None,
    }  # fmt: skip
    facts["archive"] = seen
    told = {**told, "self": {**told["nodes"]["pg1"], "name": "pg1"}, "backup": {"enabled": True}}
    verdict, whole, reasons = judged(told, facts)
    assert (verdict, whole) == ("warning", True)
    assert "000000010000000000000001 waits for the archive since 12 min" in reasons
    assert judge.judge(told, facts)["archive"] == seen
    # a replica's own marks are those of a time when it led
    facts["cluster"]["leader"] = "pg2"
    assert not symptoms.archive(told, facts)
    facts["cluster"]["leader"] = "pg1"
    facts["archive"] = {"error": "/etc/saltroni/backup.json can't be read"}
    assert "nobody knows what waits" in judged(told, facts)[2]
    facts["archive"] = {**seen, "oldest_s": 30.0}
    assert judged(told, facts)[0] == "ok"


def test_without_backups_nothing_is_asked(told):
    assert not gather.backed_up(told)
    assert gather.backed_up({**told, "backup": {"enabled": True}})
    assert "can't be read" in gather.archived("/nowhere/backup.json")["error"]


def test_the_report_is_told_only_whether_the_archive_is_late_and_why():
    late = {"oldest": "x", "oldest_s": 500.0, "waiting": 1, "warn_unarchived_s": 120, "disk_left_s": None}
    assert looking.archive({**late, "failure": {"kind": "full", "text": "", "tries": 1}}) == {
        "late": True,
        "why": "full",
    }
    assert looking.archive({**late, "failure": None}) == {"late": True, "why": None}
    assert looking.archive({**late, "oldest_s": 1.0, "failure": None}) == {"late": False, "why": None}
    assert looking.archive({"error": "x"}) == {"late": True, "why": "settings"}
