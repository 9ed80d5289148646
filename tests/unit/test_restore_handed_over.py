"""What a restored cluster needs beside its data: etcd, a Patroni that waits, accounts, members in step."""

import pytest

from saltroni.drill import lock
from saltroni.etcd import gateway
from saltroni.restore import accounts, check, dcs, hold

from . import salt_code
from .restores import ID


class Etcd:
    def __init__(self, leads=0):
        self.leads, self.bodies = leads, []

    def call(self, path, body):
        self.bodies.append((path, body))
        if path.endswith("/txn"):
            self.leads -= 1
            if self.leads >= 0:
                pair = {"value": gateway.encode("pg1")}
                return {"responses": [{"response_range": {"kvs": [pair]}}]}
            return {"succeeded": True}
        return {}


def test_the_past_is_forgotten_but_never_the_settings_nor_whose_the_data_are(cluster):
    etcd = Etcd()
    dcs.forget(cluster, "7", 1, etcd)
    done = etcd.bodies[0][1]
    gone = {
        gateway.decode(one["request_delete_range"]["key"]) for one in done["success"] if "request_delete_range" in one
    }
    assert {"/saltroni/demo/sync", "/saltroni/demo/status", "/saltroni/demo/history"} <= gone
    assert "/saltroni/demo/config" not in gone
    assert "/saltroni/demo/initialize" not in gone
    put = done["success"][-1]["request_put"]
    # without it a node with an empty data directory would found a cluster of its own
    assert (gateway.decode(put["key"]), gateway.decode(put["value"])) == ("/saltroni/demo/initialize", "7")


def test_nothing_is_forgotten_while_somebody_leads(cluster):
    from saltroni.wait import DeadlineError

    with pytest.raises(DeadlineError, match="pg1 holds the lease"):
        dcs.forget(cluster, "7", 0.1, Etcd(leads=99))


def test_a_drill_is_refused_while_a_restore_goes_on(cluster):
    class Found:
        def call(self, path, body):
            assert gateway.decode(body["key"]) == "/saltroni-drill/demo/restore"
            return {"kvs": [{"value": gateway.encode("restore r1")}]}

    with pytest.raises(lock.LockHeld, match="a restore goes on in this cluster: restore r1"):
        lock.refuse_restore(Found(), cluster)


def test_patroni_cant_start_while_the_drop_in_is_there(tmp_path):
    path = tmp_path / "patroni.service.d" / "saltroni-restoring.conf"
    assert f"ConditionPathExists=!{path}" in hold.text(ID, path)
    assert not hold.held(path)


def test_a_state_run_says_so_at_once_and_starts_nothing():
    states = salt_code.load("_states/patroni.py")
    called = {"service.status": False, "service.enabled": True, "patroni_member.held": True}
    states.__pillar__ = {"saltroni": {"deadlines": {"member_s": 300}}}
    states.__salt__ = {name: lambda *_, said=said: said for name, said in called.items()}
    said = states.member("m")
    assert said["result"] is False
    assert "salt-run restore.show" in said["comment"]


def test_accounts_wait_for_no_standby_and_show_no_password(cluster):
    cluster["secrets"] = {"superuser": "geheim1", "replication": "geheim2", "rewind": "geheim3"}
    made = accounts.statements(cluster)
    assert made[0] == "SET synchronous_commit = local"
    assert not any("geheim" in one for one in made)
    assert sum("SCRAM-SHA-256$" in one for one in made) == 3


def test_members_that_lack_the_last_write_are_named():
    statuses = {
        "pg1": {"state": "running", "timeline": 3, "xlog": {"location": 500}},
        "pg2": {"state": "running", "timeline": 3, "xlog": {"replayed_location": 400}},
        "pg3": {"error": "silent"},
    }
    assert check.behind(statuses, 450) == [
        "pg2 has replayed up to 0/190, not yet 0/1C2", "pg3 doesn't answer: silent",
    ]  # fmt: skip
    statuses["pg2"]["timeline"] = 2
    assert "the members are on timelines 2, 3" in check.behind(statuses, 1)
