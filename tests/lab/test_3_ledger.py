"""What a drill's checks are worth: rows and reads that are wrong on purpose, in real PostgreSQL, are found."""

import json
import time
from pathlib import Path

import pytest

from saltroni.drill import ledger

PIECES = (Path(__file__).parent / "pieces.py").read_text(encoding="utf-8")


def pieces(lab, *arguments):
    balancer = lab.model["by_role"]["haproxy"][0]
    done = lab.run(balancer, "/opt/salt/bin/python", "-", *arguments, stdin=PIECES, timeout_s=60)
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_planted_rows_are_found(lab):
    seen = pieces(lab, "rows")
    assert seen["honest"]["acknowledged"] > 60
    assert not seen["honest"]["lost"] + seen["honest"]["duplicated"] + seen["honest"]["refused_but_present"]
    honest = seen["honest reads"]
    assert honest["reads"] > 20
    assert len(honest["reads_of"]) == len(lab.model["by_role"]["patroni"]) - 1
    assert (honest["reads_backwards"], honest["stale_reads"]) == (0, 0), honest["bad_reads"]
    taken = seen["rows taken away under a reader"]
    assert taken["reads_backwards"] > 0
    assert taken["stale_reads"] > 0
    planted = seen["planted"]
    assert "0/5" in planted["lost_rows"]
    assert planted["lost"] == 1 + planted["writer 1"] - 9
    assert planted["duplicated_rows"] == ["0/6"]


@pytest.fixture
def standing_still(lab):
    """A replica that receives the log and doesn't replay it."""
    leader, _ = lab.call("pg1", "patroni.leader")
    member = next(name for name in lab.model["by_role"]["patroni"] if name != leader)
    table = f"SET ROLE saltroni_drill; {ledger.TABLE}; {ledger.INDEX}"
    psql = ("runuser", "-u", "postgres", "--", "psql", "-X", "--set=ON_ERROR_STOP=1", "--dbname=saltroni_drill")
    lab.run(leader, *psql, f"--command={table}")
    time.sleep(2)  # the table must be there before the replay stands still
    # Patroni lets a replay that is paused go on, so the process that replays is stopped
    pid = lab.run(member, "pgrep", "--full", "--uid=postgres", "startup recovering").stdout.strip()
    lab.run(member, "kill", "-STOP", pid)
    try:
        yield member
    finally:
        lab.run(member, "kill", "-CONT", pid)


def test_planted_stale_reads_are_found_and_the_port_keeps_its_promise(lab, standing_still):
    health, _ = lab.call("pg1", "patroni.health", check=False)
    seen = pieces(lab, "reads", standing_still)
    assert seen["the member"]["stale_reads"] > 0, seen
    assert seen["the port"]["stale_reads"] == 0, seen["the port"]["bad_reads"]
    assert seen["the port"]["reads"] > 0
    assert health["verdict"] != "critical"
