"""The pillar: what follows from it, and what is refused, with the path and the rule."""

import copy
import re
from pathlib import Path

import pytest

from saltroni.pillar import memory, model, timings

LUA = Path(__file__).parents[2] / "salt/haproxy/files/end-sessions.lua"


def changed(settings, path, value):
    """A copy of ``settings`` with ``value`` at ``path``; a value of None takes the key away."""
    result = copy.deepcopy(settings)
    part = result
    *way, last = path.split(":")
    for step in way:
        part = part.setdefault(step, {})
    if value is None:
        del part[last]
    else:
        part[last] = value
    return result


REFUSED = {
    "unknown key": ("postgres", {}, "Additional properties"),
    "unknown key inside": ("haproxy:intre_ms", 500, "Additional properties"),
    "unknown role": ("nodes:pg1:roles", ["database"], "is not one of"),
    "address that is none": ("nodes:pg1:address", "192.168.56.300", "is not a 'ipv4'"),
    "address used twice": ("nodes:pg3:address", "192.168.56.21", "belongs to one node"),
    "even number of etcd members": ("nodes:etcd3", None, "odd number"),
    "name that etcd takes for its root": (
        "nodes:root",
        {"address": "192.168.56.99", "roles": ["haproxy"]},
        "reserved",
    ),
    "no PostgreSQL": ("nodes:pg1:roles", None, "required"),
    "ttl below Patroni's floor": ("timings:ttl_s", 10, "minimum"),
    "timings that Patroni changes silently": ("timings:retry_timeout_s", 10, "must not exceed ttl_s"),
    "load balancer that holds on to a frozen leader": ("haproxy:timeout_check_ms", 15000, "frozen leader"),
    "more memory than the node has": ("postgresql:parameters:shared_buffers", "2GB", "must fit into"),
    "many connections with much work_mem": ("postgresql:parameters:work_mem", "64MB", "must fit into"),
    "size that is none": ("postgresql:parameters:work_mem", "plenty", "no size"),
    "parameter that Patroni owns": ("postgresql:parameters:ssl", "off", "sets it"),
    "unknown replication": ("postgresql:replication", "semi", "is not one of"),
    "more sync standbys than standbys": ("postgresql:synchronous_nodes", 3, "only 2 standbys"),
    "port twice": ("haproxy:ports:replicas", 5000, "one purpose"),
    "network that is none": ("postgresql:networks", ["10.0.0.0/33"], "ipv4network"),
    "user with a quote in its name": ("postgresql:users", {'a"b': {}}, "does not match"),
    "certificates renewed on every run": ("certificates:renew_days", 90, "less than certificates:days"),
    "drill of a fault that there isn't": ("drills:schedule", {"faults": ["nothing"]}, "no such fault"),
    "drills on a schedule where none are allowed": (
        "drills",
        {"allowed": False, "schedule": {"calendar": "Sun 03:00"}},
        "allowed first",
    ),
    "calendar that would be more than one line of a unit": ("drills:schedule", {"calendar": "Sun\n[Unit]"}, "match"),
    "election too soon for the heartbeat": ("etcd:election_ms", 600, "5 x heartbeat_ms"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_path_and_rule(settings, case):
    path, value, rule = REFUSED[case]
    with pytest.raises(model.PillarError) as caught:
        model.build(changed(settings, path, value))
    text = str(caught.value)
    assert rule in text
    assert "nothing is changed" in text
    assert f"saltroni:{path.split(':')[0]}" in text or "(top)" in text


def test_node_with_less_memory_than_claimed(settings):
    with pytest.raises(model.PillarError, match="pg1:memory_mb = 1024: the node has 600 MiB"):
        model.build(settings, {"pg1": 600})
    model.build(settings, {"pg1": 960})  # what a machine of 1024 MiB shows


def test_all_broken_rules_are_told_at_once(settings):
    broken = changed(changed(settings, "timings:retry_timeout_s", 10), "nodes:pg3:address", "192.168.56.21")
    with pytest.raises(model.PillarError) as caught:
        model.build(broken)
    assert len(caught.value.problems) == 2


def test_defaults_are_production_values(settings):
    built = model.build(settings)
    assert built["dcs"]["synchronous_mode"] == "quorum"
    assert built["dcs"]["failsafe_mode"] is True
    assert built["dcs"]["primary_start_timeout"] == 0
    assert built["dcs"]["postgresql"]["parameters"]["shared_buffers"] == "256MB"
    assert memory.committed_mb(built["dcs"]["postgresql"]["parameters"]) < 1024
    assert model.build({"cluster": "x", "nodes": settings["nodes"]})["drills"]["allowed"] is False


@pytest.mark.parametrize(
    ("replication", "mode", "strict"),
    [("async", False, False), ("sync", True, False), ("quorum", "quorum", False), ("strict", "quorum", True)],
)
def test_replication_modes(settings, replication, mode, strict):
    dcs = model.build(changed(settings, "postgresql:replication", replication))["dcs"]
    assert (dcs["synchronous_mode"], dcs["synchronous_mode_strict"]) == (mode, strict)
    assert dcs["primary_start_timeout"] == (30 if replication == "async" else 0)


def test_database_certificate_names_the_load_balancers(settings):
    names = model.build(changed(settings, "postgresql:names", ["db.example.org"]))["names"]
    assert {"DNS:pg1", "IP:192.168.56.21", "DNS:lb1", "IP:192.168.56.32", "DNS:db.example.org"} <= set(
        names["pg1"]["patroni"]
    )
    assert names["lb1"]["haproxy"] == ["DNS:lb1", "IP:192.168.56.31"]


def test_nobody_reaches_postgresql_without_tls_and_scram(settings):
    for line in model.build(settings)["pg_hba"]:
        kind, *_, method = line.replace(" map=saltroni", "").split()
        assert method == "reject" or (kind, method) in {("hostssl", "scram-sha-256"), ("local", "peer")}, line


def test_own_accounts_are_refused_through_the_load_balancers(settings):
    lines = model.build(settings)["pg_hba"]
    refusal = lines.index("host all postgres,replicator,rewind 192.168.56.31/32 reject")
    assert refusal < lines.index("hostssl all all 192.168.56.31/32 scram-sha-256")


def test_drill_account_only_where_drills_are_allowed(settings):
    assert any("saltroni_drill" in line for line in model.build(settings)["pg_hba"])
    quiet = model.build(changed(settings, "drills:allowed", False))
    assert not any("saltroni_drill" in line for line in quiet["pg_hba"])


def test_proxy_lets_go_before_the_lease_ends(settings):
    built = model.build(settings)
    released = timings.release_s(built["haproxy"])
    assert released == pytest.approx(5.5)
    assert released < built["timings"]["ttl_s"] - built["timings"]["loop_wait_s"]


def test_sessions_of_a_server_that_is_down_end_within_what_the_rule_counts():
    lua = LUA.read_text(encoding="utf-8")
    after_ms, look_ms = (int(re.search(rf"^local {name} = (\d+)$", lua, re.M)[1]) for name in ("AFTER_MS", "LOOK_MS"))
    assert after_ms + 2 * look_ms <= timings.ENDED_MS


@pytest.mark.parametrize(
    ("name", "value", "kb"),
    [
        ("work_mem", "4MB", 4096),
        ("work_mem", 64, 64),
        ("shared_buffers", 128, 1024),
        ("shared_buffers", "1GB", 1048576),
    ],
)
def test_sizes(name, value, kb):
    assert memory.kilobytes(name, value) == kb
