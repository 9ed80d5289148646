"""`make lab` gives a whole cluster, and applying its state again changes and restarts nothing."""

import time

from .conftest import MASTER, ROOT, changes, failures, until


def test_every_member_is_there(lab):
    cluster, _ = lab.call("pg1", "patroni.cluster")
    assert len(cluster["members"]) == 3
    health, code = lab.call("pg2", "patroni.health")
    assert (health["verdict"], code) in {("ok", 0), ("warning", 0)}, health["reasons"]
    etcd, _ = lab.call("etcd2", "etcd_cluster.health")
    assert etcd["verdict"] == "ok", etcd


def test_second_apply_changes_nothing_and_restarts_nothing(lab):
    before = lab.processes()
    started = time.monotonic()
    answers = lab.apply()
    seconds = time.monotonic() - started
    print(f"second apply: {seconds:.1f} s for {len(answers)} nodes")
    assert set(answers) == set(lab.model["nodes"])
    assert failures(answers) == []
    assert changes(answers) == []
    assert lab.processes() == before


def test_nodes_tell_their_state_runs_themselves(lab):
    """From then on nobody is believed who tells one in their names."""
    folder = f"/var/lib/saltroni/{lab.model['cluster']}/tellers"
    until(
        lambda: set(lab.run(MASTER, "ls", folder, check=False).stdout.split()) == set(lab.model["nodes"]),
        "every node to have told a state run from its spool",
        60,
    )


def test_checksums_and_settings_are_in_force(lab):
    shown = lab.run(
        "pg1", "sh", "-c",
        "echo 'show data_checksums; show ssl; show password_encryption; show wal_log_hints' | psql -XAtq -h /var/run/postgresql -U postgres",
    )  # fmt: skip
    assert shown.stdout.split() == ["on", "on", "scram-sha-256", "on"]


def test_the_report_tells_of_the_deployment_and_the_drill(lab):
    report = (ROOT / ".lab" / "REPORT.md").read_text(encoding="utf-8")
    for word in ("pg1", "etcd3", "lb2", "postmaster_killed"):
        assert word in report
