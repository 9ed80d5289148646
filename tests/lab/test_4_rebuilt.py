"""A node that comes back with an empty disk becomes a member again by applying its state; so it is with a dead node,
and with one node at a time."""

import re

import pytest

from .conftest import MASTER, failures


def whole(lab):
    health, _ = lab.call("pg1", "patroni.health", check=False)
    return health


@pytest.mark.parametrize("node", ["etcd3", "pg3"])
def test_empty_node_is_replaced(lab, node):
    lab.script("node.sh", node, "rebuild")
    answers = lab.apply(node)
    assert failures(answers) == []
    if node.startswith("etcd"):
        etcd, _ = lab.call("etcd1", "etcd_cluster.health")
        assert etcd["verdict"] == "ok", etcd
        assert len(lab.call("etcd1", "etcd_cluster.members")[0]) == 3
    else:
        members, _ = lab.call("pg1", "patroni.members")
        assert set(members) == {"pg1", "pg2", "pg3"}
    again = lab.apply(node)
    assert failures(again) == []
    assert whole(lab)["verdict"] != "critical"


def test_one_dead_node_stops_nobody_else(lab):
    lab.script("node.sh", "etcd2", "kill")
    try:
        answers = lab.apply()
        answers.pop("etcd2", None)
        assert failures(answers) == []
        assert set(answers) == set(lab.model["nodes"]) - {"etcd2"}
    finally:
        lab.script("node.sh", "etcd2", "start")
    assert lab.call("etcd2", "etcd_cluster.serves", "60")[0] is True


def test_one_node_at_a_time(lab):
    before = lab.processes()
    command = ["salt", "-t", "600", "--batch", "1", "--out=txt", "*", "state.apply"]
    done = lab.run(MASTER, *command, check=False, timeout_s=1200)
    # with --batch, Salt ends with 2 when a state has failed anywhere
    assert done.returncode == 0, re.findall(r"[^{}]*'result': False[^{}]*", done.stdout) or done.stdout[-3000:]
    for node in lab.model["nodes"]:
        assert f"{node}:" in done.stdout
    assert lab.processes() == before
