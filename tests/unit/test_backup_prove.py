"""The restore proof around the work itself: when it is refused, whose turn it is, the unit that leaves nothing."""

import pytest

from saltroni.backup import prove, trial, unit
from saltroni.report import backups

GIB = 2**30


def here(**change):
    facts = {
        "own": "pg2", "leader": "pg1", "members": ["pg1", "pg2", "pg3"], "free_bytes": 10 * GIB, "load": 1.0, "processors": 2,
        "running": {"drill": None, "backup": None, "restore": None},
    }  # fmt: skip
    return prove.Here(**{**facts, **change})


def test_a_replica_with_room_and_time_may_prove():
    assert here().reasons(4 * GIB) == []
    assert here(leader=None).reasons(4 * GIB) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"own": "pg1"}, "pg1 leads: do it on pg2 or pg3"),
        ({"free_bytes": 4 * GIB}, "a copy needs 5.3 GiB of free space, there are 4.0 GiB"),
        ({"load": 9.0}, "its load is 9.0 with 2 processors"),
        ({"running": {"drill": "node_lost", "backup": None}}, "a drill runs: node_lost"),
        ({"running": {"restore": "r1"}}, "a restore runs: r1"),
    ],
)
def test_what_speaks_against_a_proof(change, words):
    assert words in "; ".join(here(**change).reasons(4 * GIB))


def test_one_replica_that_streams_has_its_turn():
    rows = {
        "pg1": {"state": "running"}, "pg2": {"state": "starting"}, "pg3": {"state": "streaming"},
        "pg4": {"state": "streaming"},
    }  # fmt: skip
    assert prove.whose({"leader": "pg1", "members": rows}) == "pg3"
    assert prove.whose({"leader": "pg1", "members": {"pg1": {"state": "running"}}}) is None
    assert prove.whose(None) is None


def test_the_unit_ends_with_all_its_processes_and_leaves_nothing():
    words = unit.command(
        "saltroni-proof",
        "/run/w",
        3600,
        cleanup=["/var/lib/x/proof"],
        hidden=["/data", "", "/socket"],
        output="/root/d.sql",
    )
    assert "--property=KillMode=control-group" in words
    assert "--property=RuntimeMaxSec=3600" in words
    assert "--property=ExecStopPost=+/bin/rm -rf --one-file-system -- /var/lib/x/proof" in words
    hidden = [word for word in words if "InaccessiblePaths" in word]
    assert hidden == ["--property=InaccessiblePaths=-/data", "--property=InaccessiblePaths=-/socket"]
    assert "--property=StandardOutput=append:/root/d.sql" in words
    assert "--property=User=postgres" in words
    assert words[-2:] == ["/run/w/job.json", "/run/w/result.json"]


def test_the_times_of_postgresqls_log():
    assert trial.moment("2026-11-24 23:36:19.861332+00").isoformat() == "2026-11-24T23:36:19.861332+00:00"
    assert trial.moment("2026-11-24 23:36:19.5+05:30").utcoffset().total_seconds() == 5.5 * 3600


def test_the_report_understands_a_proof():
    from saltroni.backup import target

    data = prove.told("walg", None, target.Target("latest"), {"verdict": "failed", "reasons": ["x"], "took_s": 1.0})
    event = {"kind": backups.PROOF, "time": "t", "node": "pg2", "data": data}
    found = backups.of_kind([event], backups.PROOF)[0]
    assert (found["passed"], found["reasons"], found["recovery_s"], found["tool"]) == (False, ["x"], None, "walg")
