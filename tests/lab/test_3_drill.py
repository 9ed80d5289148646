"""A real fault on the real leader, from a node that isn't the leader."""


def test_leader_killed_under_load(lab):
    for caller in ("pg2", "lb1"):
        result, code = lab.call(caller, "patroni.failover_test")
        assert code == 0, result
        assert result["verdict"] == "passed", result["reasons"]
        assert result["acknowledged"] > 100
        assert not result["lost_rows"]
        assert result["outage_s"] <= result["bound_s"]
        assert result["new_leader"] != result["old_leader"]


def test_fault_is_refused_without_permission(lab):
    text, code = lab.call(
        "pg1", "fault.inject", "postmaster_killed", 'pillar={"saltroni": {"drills": {"allowed": false}}}', check=False
    )
    assert code != 0 or "drills" in str(text)


def test_the_peer_interface_gives_nothing_else(lab):
    for function in ("cmd.run", "test.ping", "patroni.switchover", "fault.known"):
        answer, _ = lab.call("pg1", "publish.publish", "pg2", function, check=False)
        assert answer in ({}, None), function
    answer, _ = lab.call("pg1", "publish.publish", "etcd1", "fault.active", check=False)
    assert answer in ({}, None)


def test_switchover(lab):
    before, _ = lab.call("pg1", "patroni.leader")
    candidate = next(name for name in lab.model["by_role"]["patroni"] if name != before)
    lab.call("pg1", "patroni.switchover", candidate)
    assert lab.call("pg3", "patroni.leader")[0] == candidate
