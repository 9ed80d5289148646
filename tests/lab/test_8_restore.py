"""What is archived comes back: a proof, a table, the whole cluster; again, across a failover and an earlier restore,
interrupted, undone; with a gap in the archive; and from nothing but the bucket and the keys."""

import concurrent.futures
import json
import time

import pytest

from .conftest import MASTER, SETTINGS, failures, until, whole

pytestmark = pytest.mark.skipif(
    not SETTINGS.get("backup", {}).get("enabled"), reason="backups are off in pillar/cluster.sls"
)
#: One row a statement: each is a transaction of its own.
ROWS = 200


def leader(lab):
    return until(lambda: lab.call("lb1", "patroni.leader", check=False)[0], "a leader", 60)


def sql(lab, text, database="app", node=None):
    return lab.run(
        node or leader(lab), "runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database,
        stdin=text,
    ).stdout.strip()  # fmt: skip


def fill(lab, table, first=1):
    """A table whose rows were committed one by one; then a moment, and a second later the table is dropped."""
    sql(lab, f"CREATE TABLE IF NOT EXISTS {table} (n int PRIMARY KEY)")
    sql(lab, "\n".join(f"INSERT INTO {table} VALUES ({n});" for n in range(first, first + ROWS)))
    moment = sql(lab, "SELECT clock_timestamp()")
    time.sleep(1.2)
    return moment


def lose(lab, table):
    sql(lab, f"DROP TABLE {table}")


def orchestrate(lab, *wrapper, check=True, **asked):
    done = lab.run(
        MASTER, *wrapper, "salt-run", "state.orchestrate", "orch.restore", f"pillar={json.dumps({'restore': asked})}",
        check=False, timeout_s=1800,
    )  # fmt: skip
    if check and done.returncode != 0:
        # the first step that failed says why; those after it only that it did
        first = max(0, done.stdout.find("Result: False") - 500)
        pytest.fail(f"orch.restore ended with {done.returncode}\n{done.stdout[first:][:6000]}\n{done.stderr[-2000:]}")
    return done


def runner(lab, function, *arguments, check=True):
    done = lab.run(MASTER, "salt-run", "--out=json", f"restore.{function}", *arguments, check=False, timeout_s=1800)
    assert done.stdout.strip(), done.stderr
    told = json.loads(done.stdout)
    assert not check or told.get("retcode", 0) == 0, told
    return told


def members(lab):
    return lab.call("lb1", "patroni.cluster")[0]["members"]


def one_timeline(lab):
    """All members stream on the leader's timeline; its number."""
    rows = members(lab)
    assert set(rows) == set(lab.model["by_role"]["patroni"])
    assert len({row["timeline"] for row in rows.values()}) == 1, rows
    assert sorted(row["state"] for row in rows.values()) == ["running", "streaming", "streaming"], rows
    return next(iter(rows.values()))["timeline"]


def restored(lab, table, rows):
    assert sql(lab, f"SELECT count(*), max(n) FROM {table}") == f"{rows}|{rows}"
    for node in lab.model["by_role"]["patroni"]:
        until(
            lambda node=node: sql(lab, f"SELECT count(*) FROM {table}", node=node) == str(rows),
            f"{node} to have it",
            30,
        )
    # a write through the load balancer: what restore's own check does, too
    assert runner(lab, "show")["done"]["check"] is not None
    whole(lab, 120)


def replica(lab):
    first = leader(lab)
    return next(name for name in lab.model["by_role"]["patroni"] if name != first)


def leavings(lab, node):
    """What no proof, extract or restore may leave behind on a node."""
    look = (
        "ls -d /var/lib/saltroni-backup/proof /var/lib/saltroni-backup/extract /var/lib/postgresql/*/*.restored 2>/dev/null;"
        "pgrep -af 'port=5999' | grep -v pgrep; ls /etc/systemd/system/patroni.service.d/saltroni-restoring.conf 2>/dev/null; true"
    )
    return lab.run(node, "sh", "-c", look).stdout.strip()


@pytest.fixture(scope="module")
def backed_up(lab):
    """A whole cluster with a full base backup."""
    whole(lab, 120)
    made, _ = lab.call(leader(lab), "walg.backup", "full=True", "here=True", timeout_s=900)
    assert made["verdict"] == "passed", made
    return made


def test_a_proof_passes_and_leaves_nothing(lab, backed_up):
    node = replica(lab)
    proof, code = lab.call(node, "walg.prove", timeout_s=900)
    assert (code, proof["verdict"], proof["reasons"]) == (0, "passed", []), proof
    print(f"\nproof: {proof['took_s']} s, recovery {proof['recovery_s']} s, loss {proof['loss_s']} s, {proof['parts']}")
    assert leavings(lab, node) == ""
    said, code = lab.call(leader(lab), "walg.prove", check=False)
    assert code != 0
    assert "leads: do it on" in str(said)


def test_a_proof_that_is_killed_leaves_nothing(lab, backed_up):
    node = replica(lab)
    kill = "for n in $(seq 600); do sleep 0.1; pgrep -f '[p]ort=5999' >/dev/null && break; done; systemctl kill -s KILL saltroni-proof-copy"
    lab.run(node, "systemd-run", "--quiet", "--collect", "sh", "-c", kill)
    said, code = lab.call(node, "walg.prove", check=False, timeout_s=900)
    assert code != 0
    assert said["verdict"] == "failed", said
    until(lambda: leavings(lab, node) == "", "all of it to be gone", 60)
    assert lab.call(node, "walg.prove", timeout_s=900)[0]["verdict"] == "passed"


def test_a_table_comes_back_beside_the_running_cluster(lab, backed_up):
    moment = fill(lab, "alone")
    lose(lab, "alone")
    node = replica(lab)
    sql(lab, "SELECT pg_switch_wal()")
    path = "/root/alone.sql"
    lab.run(node, "rm", "-f", path)
    made, _ = lab.call(node, "walg.extract", "app", path, "table=alone", f"time={moment}", timeout_s=900)
    assert made["tables"] == ["public.alone"]
    assert lab.run(node, "stat", "--format=%a %U", path).stdout.split() == ["600", "root"]
    sql(lab, lab.run(node, "cat", path).stdout)
    assert sql(lab, "SELECT count(*) FROM alone") == str(ROWS)
    said, code = lab.call(node, "walg.extract", "app", "/root/none.sql", "table=nowhere", f"time={moment}", check=False)
    assert code != 0
    assert "there is none at that moment" in str(said)
    assert lab.run(node, "ls", "/root/none.sql", check=False).returncode != 0


def test_the_whole_cluster_back_to_a_second_before_twice_in_a_row(lab, backed_up):
    timeline, rows = one_timeline(lab), 0
    for _ in range(2):
        moment = fill(lab, "orders", rows + 1)
        rows += ROWS
        lose(lab, "orders")
        plan = runner(lab, "plan", f"time={moment}")
        assert plan["verdict"] == "possible"
        orchestrate(lab, time=moment)
        restored(lab, "orders", rows)
        later = one_timeline(lab)
        assert later > timeline
        timeline = later
    assert lab.call(replica(lab), "walg.verify", check=False)[0] == []


def test_across_a_failover_with_an_earlier_restore_in_the_same_archive(lab, backed_up):
    rows = int(sql(lab, "SELECT count(*) FROM orders"))
    sql(lab, "\n".join(f"INSERT INTO orders VALUES ({n});" for n in range(rows + 1, rows + 11)))
    drill, _ = lab.call("lb1", "patroni.failover_test", timeout_s=400)
    assert drill["new_leader"] != drill["old_leader"], drill
    whole(lab, 180)
    moment = fill(lab, "orders", rows + 11)
    rows += 10 + ROWS
    lose(lab, "orders")
    orchestrate(lab, time=moment, node=replica(lab))
    restored(lab, "orders", rows)
    one_timeline(lab)


def test_interrupted_it_goes_on(lab, backed_up):
    rows = int(sql(lab, "SELECT count(*) FROM orders"))
    moment = fill(lab, "orders", rows + 1)
    lose(lab, "orders")
    # the runner is killed again and again, wherever it is; what it has begun on a node goes on
    for seconds in (14, 20, 26, 32):
        done = orchestrate(lab, "timeout", "--signal=KILL", str(seconds), check=False, time=moment)
        if done.returncode == 0:
            break
    if done.returncode != 0:
        orchestrate(lab, time=moment)
    restored(lab, "orders", rows + ROWS)
    one_timeline(lab)
    assert runner(lab, "show")["verdict"] == "finished"


def test_its_node_dies_in_the_middle_and_it_goes_on(lab, backed_up):
    rows = int(sql(lab, "SELECT count(*) FROM orders"))
    moment = fill(lab, "orders", rows + 1)
    lose(lab, "orders")
    node = replica(lab)
    copy = f"{lab.model['folders']['data']}.restored/base"
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        restore = beside.submit(orchestrate, lab, check=False, time=moment, node=node)
        until(lambda: lab.run(node, "test", "-d", copy, check=False).returncode == 0, "the copy", 120, every_s=0.1)
        lab.script("node.sh", node, "kill")
        time.sleep(5)
        lab.script("node.sh", node, "start")
        ended = restore.result(900)
    if ended.returncode != 0:  # it may stop, and says how to go on
        orchestrate(lab, time=moment, node=node)
    restored(lab, "orders", rows + ROWS)
    one_timeline(lab)
    assert runner(lab, "show")["verdict"] == "finished"
    assert leavings(lab, node) == ""


def test_there_is_a_way_back(lab, backed_up):
    rows = int(sql(lab, "SELECT count(*) FROM orders"))
    moment = fill(lab, "orders", rows + 1)
    sql(lab, "CREATE TABLE of_the_future (n int); INSERT INTO of_the_future VALUES (1)")
    orchestrate(lab, time=moment)
    assert sql(lab, "SELECT to_regclass('of_the_future')") == ""
    assert runner(lab, "back")["undone"] is True
    whole(lab, 180)
    assert sql(lab, "SELECT count(*) FROM of_the_future") == "1"
    one_timeline(lab)
    made, _ = lab.call(leader(lab), "walg.backup", "full=True", "here=True", timeout_s=900)
    assert made["verdict"] == "passed", made
    # forward again: the archive has the undone timeline, too
    lose(lab, "of_the_future")
    orchestrate(lab, time=moment)
    restored(lab, "orders", rows + ROWS)
    one_timeline(lab)


def test_what_was_kept_goes_when_that_is_said(lab, backed_up):
    for name in lab.run(
        MASTER, "sh", "-c", f"ls /var/lib/saltroni/{lab.model['cluster']}/restores/*.json"
    ).stdout.split():
        runner(lab, "forget", f"restore={name.rsplit('/', 1)[1].removesuffix('.json')}")
    for node in lab.model["by_role"]["patroni"]:
        look = f"ls -d {lab.model['folders']['data']}.* {lab.model['folders']['wal']}.* 2>/dev/null; true"
        assert lab.run(node, "sh", "-c", look).stdout == ""
        assert leavings(lab, node) == ""


def test_applying_state_changes_nothing_after_all_that(lab, backed_up):
    before = lab.processes()
    assert failures(lab.apply()) == []
    assert lab.processes() == before


REMOVE = {
    "walg": "wal-g --config /etc/saltroni/walg.yaml st rm wal_005/{name}.zst",
    "pgbackrest": "pgbackrest --config=/etc/pgbackrest/pgbackrest.conf repo-rm "
    "archive/{cluster}/$(pgbackrest --config=/etc/pgbackrest/pgbackrest.conf --stanza={cluster} repo-ls archive/{cluster} "
    "| grep -v info)/{folder}/$(pgbackrest --config=/etc/pgbackrest/pgbackrest.conf repo-ls "
    "archive/{cluster}/$(pgbackrest --config=/etc/pgbackrest/pgbackrest.conf repo-ls archive/{cluster} | grep -v info)/{folder} "
    "| grep ^{name})",
}


def test_a_gap_is_seen_and_refuses_what_lies_beyond_it(lab, backed_up):
    first = leader(lab)
    names = []
    for _ in range(3):
        sql(lab, "SELECT pg_logical_emit_message(true, 'lab', 'x')", node=first)
        names.append(sql(lab, "SELECT pg_walfile_name(pg_switch_wal())", node=first))
    ready = f"ls {lab.model['folders']['data']}/pg_wal/archive_status/*.ready 2>/dev/null; true"
    until(lambda: lab.run(first, "sh", "-c", ready).stdout == "", "all to be archived", 120)
    time.sleep(1.2)
    beyond = sql(lab, "SELECT clock_timestamp()", node=first)
    sql(lab, "SELECT pg_logical_emit_message(true, 'lab', 'x'); SELECT pg_switch_wal()", node=first)
    tool = json.loads(lab.run(first, "cat", "/etc/saltroni/backup.json").stdout)["tool"]
    command = REMOVE[tool].format(name=names[1], folder=names[1][:16], cluster=lab.model["cluster"])
    lab.run(first, "runuser", "-u", "postgres", "--", "sh", "-c", command)
    node = replica(lab)
    lost, code = lab.call(first, "walg.verify", check=False)
    assert code != 0
    assert names[1] in json.dumps(lost)
    window = lab.call(node, "walg.recovery_window")[0][0]
    assert [gap["first"] for gap in window["gaps"]] == [names[1]]
    proof, code = lab.call(node, "walg.prove", f"time={beyond}", check=False, timeout_s=900)
    assert code != 0
    assert (proof["verdict"], names[1] in proof["reasons"][0]) == ("failed", True), proof
    refused = runner(lab, "plan", f"time={beyond}", check=False)
    assert refused["verdict"] == "refused"
    assert names[1] in refused["reasons"][0]
    # a new base backup is beyond it
    made, _ = lab.call(first, "walg.backup", "full=True", "here=True", timeout_s=900)
    assert made["verdict"] == "passed", made
    assert lab.call(node, "walg.prove", timeout_s=900)[0]["verdict"] == "passed"


def test_from_nothing_but_the_bucket_and_the_keys(lab, backed_up):
    """docs/backups.md, "Recovery from nothing but the bucket and the keys": every node but the storage and the master's machine."""
    rows = int(sql(lab, "SELECT count(*) FROM orders"))
    sql(lab, "SELECT pg_switch_wal()")
    time.sleep(5)
    export, cluster = "/root/backup-keys.json", lab.model["cluster"]
    lab.run(MASTER, "salt-run", "secret.backup_export", f"path={export}")
    for node in [*lab.model["by_role"]["etcd"], *lab.model["by_role"]["patroni"]]:
        lab.script("node.sh", node, "kill")
    for node in [*lab.model["by_role"]["etcd"], *lab.model["by_role"]["patroni"]]:
        lab.script("node.sh", node, "rebuild", timeout_s=1200)
    # the new master has none of the old one's passwords
    lab.run(MASTER, "sh", "-c", f"rm -rf /var/lib/saltroni/{cluster}/secrets.json /var/lib/saltroni/{cluster}/pgp* "
                                f"/var/lib/saltroni/{cluster}/restores")  # fmt: skip
    lab.run(MASTER, "salt-run", "secret.backup_import", f"path={export}", "replace=True")
    lab.salt("*", "saltutil.refresh_pillar", "wait=True")
    assert failures(lab.apply(options=("-t", "300"))) == []
    plan = runner(lab, "plan", "latest=True", check=False)
    assert "replace=true gives that one up" in "; ".join(plan["reasons"])
    orchestrate(lab, latest=True, replace=True)
    restored(lab, "orders", rows)
    one_timeline(lab)
    assert failures(lab.apply()) == []
    runner(lab, "forget")
    made, _ = lab.call(replica(lab), "walg.prove", timeout_s=900)
    assert made["verdict"] == "passed", made
