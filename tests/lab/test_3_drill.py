"""Real faults, from nodes that aren't struck: what a drill proves, leaves and refuses, also when it is killed."""

import json
import subprocess
import time

import pytest
import yaml

from .conftest import MASTER, ROOT, SETTINGS, until, whole

PILLAR = "/srv/saltroni/pillar/cluster.sls"
DRILLS = "/var/lib/saltroni/drills"
PHASES = ("leader_key_gone_s", "new_leader_s", "promoted_s", "balancer_up_s", "first_commit_s", "old_leader_rejoined_s")


def traces(lab):
    """What a fault or a drill may leave on the nodes: {node: text}."""
    look = (
        "nft list tables 2>/dev/null; cut -d' ' -f2,3 /proc/mounts | sort; "
        "ls -A /run/systemd/transient | grep ^saltroni-; "
        "ps -eo stat=,comm= | grep ^T; ls -A /run/saltroni-drill 2>/dev/null; true"
    )
    return {node: lab.run(node, "sh", "-c", look).stdout for node in lab.model["nodes"]}


def tables(lab, leader):
    """Tables in the drill's database."""
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    return lab.run(leader, "runuser", "-u", "postgres", "--", "psql", "-d", "saltroni_drill", "-Atc", query).stdout


def folders(lab, node):
    return set(lab.run(node, "sh", "-c", f"ls {DRILLS} 2>/dev/null; true").stdout.split())


def test_leader_killed_under_load_leaves_a_record(lab):
    for caller in ("pg2", "lb1"):
        result, code = lab.call(caller, "patroni.failover_test")
        assert code == 0, result
        assert result["verdict"] == "passed", result["reasons"]
        assert result["acknowledged"] > 100
        assert not result["lost_rows"]
        assert result["outage_s"] <= result["bound_s"]
        assert result["new_leader"] != result["old_leader"]
    folder = f"{DRILLS}/{result['drill']}"
    record = json.loads(lab.run("lb1", "cat", f"{folder}/record.json").stdout)
    assert set(PHASES) <= set(record["phases"])
    for phase in ("promoted_s", "balancer_up_s", "first_commit_s", "old_leader_rejoined_s"):
        assert record["phases"][phase] > 0, phase
    assert record["phases"]["old_leader_rejoined_s"] <= record["time_to_whole_s"] + 0.1
    assert record["settings"]["patroni"]["ttl"] == lab.model["timings"]["ttl_s"]
    assert {member for _, lags in record["lag"] for member in lags} == set(lab.model["by_role"]["patroni"])
    assert set(record["logs"]) == set(lab.model["nodes"])
    assert not [node for node, told in record["logs"].items() if "error" in told]
    new = lab.run("lb1", "cat", f"{folder}/logs/{record['new_leader']}.log").stdout
    assert "promoted self to leader" in new
    assert tables(lab, record["new_leader"]) == ""


def test_the_peer_interface_gives_faults_and_logs_and_nothing_else(lab):
    for function in ("cmd.run", "test.ping", "patroni.switchover", "fault.known"):
        answer, _ = lab.call("pg1", "publish.publish", "pg2", function, check=False)
        assert answer in ({}, None), function
    answer, _ = lab.call("pg1", "publish.publish", "etcd1", "fault.active")
    assert answer["etcd1"]["active"] == []


def test_refusals_are_one_sentence_and_change_nothing(lab):
    leader, _ = lab.call("lb1", "patroni.leader")
    before, kept, seen = lab.processes(), folders(lab, "lb1"), traces(lab)

    def refused(words, *arguments, node="lb1"):
        text, code = lab.call(node, "patroni.failover_test", *arguments, check=False)
        assert code != 0, text
        assert words in str(text)
        assert "Traceback" not in str(text)

    refused("no fault is called 'earthquake': there are", "fault=earthquake")
    refused("pg1 is no load balancer: there are lb1, lb2", "lb=pg1")
    lab.call(leader, "patroni.pause")
    try:
        refused("the cluster is paused")
    finally:
        lab.call(leader, "patroni.resume")
    lab.run(leader, "systemctl", "stop", "salt-minion")
    try:
        refused(f"{leader}'s minion doesn't answer")
    finally:
        lab.run(leader, "systemctl", "start", "salt-minion")
    balancers = lab.model["by_role"]["haproxy"]
    for name in balancers:
        lab.run(name, "systemctl", "stop", "haproxy")
    try:
        refused("haproxy", node="pg1")
    finally:
        for name in balancers:
            lab.run(name, "systemctl", "start", "haproxy")
    until(lambda: lab.call("lb1", "patroni.health", check=False)[0].get("whole"), "whole again", 60)
    assert lab.processes() == before
    assert folders(lab, "lb1") == kept
    assert traces(lab) == seen


def test_nobody_may_break_a_cluster_that_does_not_allow_it(lab):
    before = lab.processes()
    good = lab.run(MASTER, "cat", PILLAR).stdout
    try:
        forbidden = yaml.safe_dump({"saltroni": dict(SETTINGS, drills={"allowed": False})})
        lab.run(MASTER, "sh", "-c", f"cat > {PILLAR}", stdin=forbidden)
        for function in (("fault.inject", "postmaster_killed"), ("patroni.failover_test",)):
            text, code = lab.call("pg1", *function, check=False)
            assert code != 0, text
            assert "saltroni:drills:allowed" in str(text)
    finally:
        lab.run(MASTER, "sh", "-c", f"cat > {PILLAR}", stdin=good)
    assert lab.processes() == before


def test_the_one_who_tells_the_tale_is_not_struck(lab):
    leader, _ = lab.call("lb1", "patroni.leader")
    text, code = lab.call(leader, "patroni.failover_test", "fault=node_lost", check=False)
    assert code != 0
    assert f"this node, {leader}, is one of them: call the drill on another node" in str(text)


def test_a_drill_that_is_killed_leaves_a_whole_cluster_and_nothing_else(lab):
    whole(lab, 60)
    before, kept = traces(lab), folders(lab, "lb1")
    lasts_s = lab.call("lb1", "patroni.drills")[0]["patroni_frozen"]["lasts_s"]
    leader, _ = lab.call("lb1", "patroni.leader")
    command = ("salt-call", "patroni.failover_test", "fault=patroni_frozen")
    drill = subprocess.Popen(
        [str(ROOT / "lab" / "run"), "lb1", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    timer = ("systemctl", "is-active", "--quiet", "saltroni-heal-patroni-frozen.timer")
    until(lambda: lab.run(leader, *timer, check=False).returncode == 0, "the fault", 60)
    struck = time.monotonic()
    assert "another drill runs" in str(lab.call("lb2", "patroni.failover_test", check=False)[0])
    assert tables(lab, leader) == "ledger\n"
    pids = lab.run("lb1", "pgrep", "-f", f"^\\S+ \\S*{' '.join(command)}").stdout.split()
    lab.run("lb1", "kill", "-9", *pids)
    drill.communicate(timeout=20)
    assert "T" in lab.run(leader, "ps", "-o", "stat=", "-p", main_pid(lab, leader)).stdout  # the fault outlived it
    until(lambda: lab.run(leader, *timer, check=False).returncode != 0, "the fault to heal", lasts_s + 5)
    whole(lab, lasts_s + 30 - (time.monotonic() - struck))
    leader, _ = lab.call("lb1", "patroni.leader")
    until(lambda: tables(lab, leader) == "", "the drill's table to go", 60)
    until(lambda: traces(lab) == before, "all traces to go", 15)
    (left,) = folders(lab, "lb1") - kept
    files = lab.run("lb1", "ls", f"{DRILLS}/{left}").stdout.split()
    assert "writes.jsonl" in files
    assert "result.json" not in files


def main_pid(lab, node):
    return lab.run(node, "systemctl", "show", "--property=MainPID", "--value", "patroni").stdout.strip()


def test_a_suite_that_is_killed_goes_on_where_it_was(lab):
    shelf = f"/var/lib/saltroni/{lab.model['cluster']}/suites"
    command = ("salt-run", "drill.suite", "faults=switchover,postmaster_killed")
    suite = subprocess.Popen(
        [str(ROOT / "lab" / "run"), MASTER, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )

    def state():
        newest = lab.run(MASTER, "sh", "-c", f"cat $(ls {shelf}/*.json | tail -n 1)", check=False).stdout
        return json.loads(newest) if newest else {}

    def second_runs():
        running = state().get("running") or {}
        return suite.poll() is None and running.get("fault") == "postmaster_killed" and running.get("job")

    until(second_runs, "the second drill", 120, every_s=0.2)
    lab.run(MASTER, "kill", "-9", *lab.run(MASTER, "pgrep", "-f", f"^\\S+ \\S*{' '.join(command)}").stdout.split())
    suite.communicate(timeout=20)
    left = state()
    assert (left["verdict"], list(left["done"])) == (None, ["switchover"])
    done = lab.run(MASTER, "salt-run", "--out=json", "drill.suite", "resume=True")
    told = json.loads(done.stdout)
    assert (told["suite"], told["verdict"]) == (left["suite"], "passed")
    assert told["totals"]["rounds"] == 2
    assert "postmaster_killed: " in done.stderr
    assert "switchover: " not in done.stderr
    # the drill that ran on was asked for its answer, not made again
    assert state()["done"]["postmaster_killed"]["each"][0]["drill"] in folders(lab, "lb1")


def test_nodes_networks_and_disks_fail_and_no_row_is_lost(lab):
    """One of each kind; the suite of all faults is `salt-run drill.suite`."""
    before = traces(lab)
    wanted = "leader_killed_twice,node_lost,network_cut,replicas_lost,postmaster_frozen,wal_disk_full"
    told = json.loads(
        lab.run(MASTER, "salt-run", "--out=json", "drill.suite", f"faults={wanted}", timeout_s=1500).stdout
    )
    assert told["verdict"] == "passed", told["reasons"]
    assert told["totals"]["rounds"] == len(wanted.split(","))
    assert traces(lab) == before


def test_a_suite_of_a_fault_that_there_is_not_ends_with_an_exit_code(lab):
    done = lab.run(MASTER, "salt-run", "--out=json", "drill.suite", "faults=earthquake", check=False)
    assert done.returncode == 2
    assert "no fault is called earthquake" in json.loads(done.stdout)["reasons"][0]


def test_switchover(lab):
    before, _ = lab.call("pg1", "patroni.leader")
    candidate = next(name for name in lab.model["by_role"]["patroni"] if name != before)
    lab.call("pg1", "patroni.switchover", candidate)
    assert lab.call("pg3", "patroni.leader")[0] == candidate


@pytest.mark.parametrize(("role", "unit", "fault"), [("patroni", "patroni", "patroni_and_postgres_killed"),
                                                     ("etcd", "etcd", "etcd_member_lost")])  # fmt: skip
def test_what_is_kept_down_stays_down_until_it_heals(lab, role, unit, fault):
    leader, _ = lab.call("lb1", "patroni.leader")
    node = next(name for name in lab.model["by_role"][role] if name != leader)
    try:
        lab.call(node, "fault.inject", fault, "deadline_s=15")
        for _ in range(8):  # systemd would restart it after one second
            time.sleep(1)
            assert lab.run(node, "systemctl", "is-active", unit, check=False).stdout.strip() != "active"
        until(lambda: lab.run(node, "systemctl", "is-active", unit, check=False).returncode == 0, f"{unit} to heal", 30)
    finally:
        lab.call(node, "fault.heal", fault)
    whole(lab, 90)
