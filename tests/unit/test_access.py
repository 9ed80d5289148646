"""Certificates, secrets, accounts: who may be whom."""

import multiprocessing
import stat

import pytest

from saltroni.etcd import users
from saltroni.pillar import accounts, model, pgpass, secrets, signing


def built(settings):
    return model.build(settings)


def test_each_policy_serves_one_node_and_pins_its_names(settings):
    policies = signing.policies(built(settings))
    assert {policy["minions"] for policy in policies.values()} == set(settings["nodes"])
    pg1 = policies["demo.pg1.patroni"]
    assert pg1["subject"] == "OU=pg1,O=saltroni demo"
    assert "IP:192.168.56.21" in pg1["subjectAltName"]
    for policy in policies.values():
        assert policy["basicConstraints"] == "critical, CA:false"
        for lock in ("not_after", "not_before", "serial_number", "copypath", "csr", "nameConstraints"):
            assert policy[lock] is None


def test_only_etcd_nodes_can_be_etcds_root(settings):
    roots = {policy["minions"] for policy in signing.policies(built(settings)).values() if "CN=" in policy["subject"]}
    assert roots == {"etcd1", "etcd2", "etcd3"}


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first = secrets.load(tmp_path / "demo", ["app"])
    again = secrets.load(tmp_path / "demo", ["app", "shop"])
    assert again["superuser"] == first["superuser"]
    assert again["users"]["app"] == first["users"]["app"]
    assert len(set(again["users"].values())) == 2
    path = tmp_path / "demo" / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _load(folder):
    return secrets.load(folder, ["app"])


def test_many_at_once_agree_on_one_set_of_secrets(tmp_path):
    with multiprocessing.Pool(8) as pool:
        seen = pool.map(_load, [tmp_path / "demo"] * 16)
    assert all(one == seen[0] for one in seen)


def test_damaged_secrets_are_never_replaced(tmp_path):
    secrets.load(tmp_path, [])
    (tmp_path / "secrets.json").write_text("{", encoding="ascii")
    with pytest.raises(ValueError, match="damaged"):
        secrets.load(tmp_path, [])
    assert (tmp_path / "secrets.json").read_text(encoding="ascii") == "{"


def test_roles_are_told_what_they_need_and_no_more(tmp_path):
    kept = secrets.load(tmp_path, ["app"])
    assert secrets.for_node(kept, ["haproxy"], drills_allowed=False) == {}
    assert set(secrets.for_node(kept, ["etcd"], drills_allowed=False)) == {"etcd_patroni", "etcd_guard", "etcd_drill"}
    assert set(secrets.for_node(kept, ["haproxy"], drills_allowed=True)) == {"drill", "etcd_drill"}
    assert "superuser" in secrets.for_node(kept, ["patroni"], drills_allowed=False)


def test_verifier_is_the_same_for_the_same_account_only():
    one = accounts.verifier("pencil", "app", "demo")
    assert one == accounts.verifier("pencil", "app", "demo")
    assert one.startswith("SCRAM-SHA-256$4096:")
    others = {accounts.verifier("pencil", "shop", "demo"), accounts.verifier("pencil", "app", "other")}
    assert one not in others
    assert "pencil" not in one


def test_passwords_reach_libpq_by_a_file(settings, tmp_path):
    kept = secrets.load(tmp_path / "demo", ["app"])
    lines = pgpass.lines(built(settings), pgpass.passwords(tmp_path, "demo"))
    assert f"lb1:5000:*:app:{kept['users']['app']}" in lines
    assert f"192.168.56.32:5001:*:app:{kept['users']['app']}" in lines


def test_no_password_stands_in_the_account_script(settings, tmp_path):
    shape = built(settings)
    shape["secrets"] = secrets.load(tmp_path, ["app"])
    script = accounts.script(shape)
    assert 'CREATE ROLE "app" LOGIN' in script
    assert 'CREATE DATABASE "saltroni_drill"' in script
    assert shape["secrets"]["users"]["app"] not in script
    assert shape["secrets"]["drill"] not in script


def test_etcd_prefix_ranges():
    assert users.range_end("/saltroni/demo/") == "/saltroni/demo0"
