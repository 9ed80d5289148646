"""Faults of nodes, networks and disks: what they would do, worked out without doing it."""

import subprocess
import time

import pytest

from saltroni import faults
from saltroni.drill import aims
from saltroni.failover.promise import Promise
from saltroni.faults import clock_step, disk, network_delayed, nft, power
from saltroni.pillar import model
from saltroni.wait import NotYet, until

OF_NODES = (
    "balancer_lost", "clock_step", "data_disk_full", "etcd_cut", "everything_power_lost", "network_cut", "network_delayed",
    "node_lost", "node_rebooted", "postgresql_power_lost", "replica_lost", "replicas_lost", "replication_cut", "rest_cut",
    "sync_standby_lost", "wal_disk_full", "watchdog_expired",
)  # fmt: skip


@pytest.fixture
def built(settings):
    return {**model.build(settings), "self": {"name": "pg1", "roles": ["patroni"]}}


def seen(observer="lb1"):
    members = {"pg1": {"role": "leader"}, "pg2": {"role": "quorum_standby"}, "pg3": {"role": "replica"}}
    return {"leader": "pg1", "members": members, "etcd_leader": "etcd1", "balancer": "lb2", "observer": observer}


@pytest.mark.parametrize("name", OF_NODES)
def test_a_fault_has_a_bound_an_end_and_somebody_to_strike(built, name):
    fault = faults.named(name)
    cost = fault.cost(Promise.of(built))
    assert 0 <= cost.least_s <= cost.most_s
    assert 0 <= fault.visible_after_s(built) <= fault.lasts_s(built) < 600
    for strike in fault.strikes:
        part = faults.named(strike.fault)
        struck = aims.nodes(strike.aim, built, seen(), part.takes_node)
        assert struck and "salt" not in struck
        assert part.role is None or all(part.role in built["nodes"][node]["roles"] for node in struck)


@pytest.mark.parametrize(
    ("name", "struck"),
    [
        ("node_lost", ["pg1"]),
        ("replica_lost", ["pg2"]),
        ("replicas_lost", ["pg2", "pg3"]),
        ("sync_standby_lost", ["pg2"]),
        ("balancer_lost", ["lb2"]),
        ("postgresql_power_lost", ["pg1", "pg2", "pg3"]),
        ("everything_power_lost", ["etcd1", "etcd2", "etcd3", "pg1", "pg2", "pg3", "lb2"]),
    ],
)
def test_whom_power_leaves(built, name, struck):
    strike = faults.named(name).strikes[0]
    part = faults.named(strike.fault)
    assert part.takes_node
    assert aims.nodes(strike.aim, built, seen(), part.takes_node) == struck


def test_a_node_that_is_taken_away_cant_tell_of_it(built):
    with pytest.raises(aims.NoAim, match="call the drill on another node"):
        aims.nodes("leader", built, seen(observer="pg1"), faults.named("network_cut").takes_node)


def cost(settings, name, replication, **more):
    settings["postgresql"].update(replication=replication, **more)
    return faults.named(name).cost(Promise.of(model.build(settings)))


@pytest.mark.parametrize(
    ("name", "replication", "more", "least_of_most", "most"),
    [
        ("replica_lost", "async", {}, 0, 2),
        ("replica_lost", "quorum", {}, 0, 2),  # the other one acknowledges
        ("replica_lost", "strict", {}, 0, 2),
        ("replica_lost", "quorum", {"synchronous_nodes": 2}, 10, 15),
        ("sync_standby_lost", "sync", {}, 10, 15),
        ("replicas_lost", "async", {}, 0, 2),
        ("replicas_lost", "quorum", {}, 10, 15),
        ("replicas_lost", "strict", {}, 30, 120),  # writes stop by design
        ("replication_cut", "quorum", {}, 10, 15),
        ("replication_cut", "strict", {}, 30, 50),
    ],
)
def test_what_lost_standbys_cost(settings, name, replication, more, least_of_most, most):
    assert least_of_most <= cost(settings, name, replication, **more).most_s <= most


def test_a_cut_drops_one_port_of_some_and_nothing_else(built):
    etcd = faults.named("etcd_cut").module._CUT._cut(built)
    assert nft.ruleset("etcd_cut", etcd) == (
        "table inet saltroni_etcd_cut { "
        "chain input { type filter hook input priority -300; policy accept; "
        "ip saddr { " + etcd_addresses(built) + " } tcp sport 2379 drop; }; "
        "chain output { type filter hook output priority -300; policy accept; "
        "ip daddr { " + etcd_addresses(built) + " } tcp dport 2379 drop; }; }"
    )


def etcd_addresses(built):
    return ", ".join(model.addresses(built, "etcd"))


def test_replication_is_cut_both_ways_and_clients_are_let_through(built):
    incoming, outgoing = faults.named("replication_cut").module._CUT._cut(built)
    members = ", ".join(built["nodes"][name]["address"] for name in ("pg2", "pg3"))
    assert incoming == [f"ip saddr {{ {members} }} tcp {side} 5432 drop" for side in ("dport", "sport")]
    assert outgoing == [f"ip daddr {{ {members} }} tcp {side} 5432 drop" for side in ("sport", "dport")]


def test_the_rest_api_is_cut_from_balancers_and_members_only(built):
    incoming, _ = faults.named("rest_cut").module._CUT._cut(built)
    allowed = [built["nodes"][name]["address"] for name in ("lb1", "lb2", "pg2", "pg3")]
    assert incoming == [f"ip saddr {{ {', '.join(allowed)} }} tcp dport 8008 drop"]


def test_a_cut_from_nobody_is_refused(built):
    with pytest.raises(faults.FaultError, match="nobody"):
        nft.own([], 5432)


def held(tmp_path, until_unix, longest_s):
    power.hold(until_unix, longest_s, tmp_path)
    script = power.files(tmp_path)[-1]
    assert power.held(tmp_path)
    # cuts nothing, and shows that it runs
    script.write_text(power.script(until_unix, longest_s, tmp_path, nft_program=f"touch {tmp_path}/begun; :"))
    return script


def test_a_hold_that_was_interrupted_ends_when_its_moment_has_passed(tmp_path):
    script = held(tmp_path, time.time() - 1, 60)
    assert subprocess.run(["/bin/sh", script], timeout=10, check=False).returncode == 0
    assert not any(path.exists() or path.is_symlink() for path in power.files(tmp_path))
    assert not power.held(tmp_path)


def test_a_clock_that_is_wrong_by_years_doesnt_hold_a_node_longer(tmp_path):
    script = held(tmp_path, time.time() + 1e9, 2)
    begun = time.monotonic()
    subprocess.run(["/bin/sh", script], timeout=30, check=False)
    assert time.monotonic() - begun > 1.5
    assert not power.held(tmp_path)


def test_a_hold_is_ended_by_taking_its_script_away(tmp_path):
    script = held(tmp_path, time.time() + 600, 600)

    def begun():
        if not (tmp_path / "begun").exists():
            raise NotYet("it doesn't run yet")

    with subprocess.Popen(["/bin/sh", script]) as running:
        until(begun, "the hold to begin", 20, every_s=0.05)
        power.let_go(tmp_path)
        assert running.wait(timeout=20) == 0
    power.let_go(tmp_path)  # harmless


def test_a_hold_is_wanted_at_boot_before_any_network(tmp_path):
    power.hold(1, 1, tmp_path)
    wanted, unit, _ = power.files(tmp_path)
    assert wanted.resolve() == unit.resolve()
    assert "Before=network-pre.target sysinit.target" in unit.read_text()


def test_the_clock_is_put_right_by_the_time_since_boot(tmp_path):
    stub = tmp_path / "date"
    stub.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\n')
    stub.chmod(0o755)
    script = tmp_path / "back"
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    script.write_text(clock_step.back(booted, [], script))
    subprocess.run(["/bin/sh", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=10, check=True)
    said = (tmp_path / "said").read_text().strip()
    assert said.startswith("--set=@") and abs(float(said.removeprefix("--set=@")) - time.time()) < 5
    assert not script.exists()


@pytest.mark.parametrize(("capabilities", "may"), [("000001ffffffffff", True), ("00000000a80425fb", False)])
def test_who_may_set_the_clock(capabilities, may):
    assert clock_step.may_set(f"Name:\tx\nCapEff:\t{capabilities}\n") is may


def test_the_interface_and_its_discipline():
    shown = "1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 192.168.56.21/24 brd 192.168.56.255 scope global eth0\n"
    assert network_delayed.interface(shown, "192.168.56.21") == "eth0"
    assert network_delayed.interface(shown, "192.168.56.2") is None
    assert network_delayed.discipline("qdisc noqueue 0: root refcnt 2\n") == "noqueue"
    assert network_delayed.discipline("qdisc netem 8001: root refcnt 2 limit 1000 delay 100ms  20ms\n") == "netem"
    assert network_delayed.discipline("") is None


def test_the_root_file_system_is_never_filled():
    assert "root file system" in disk.unable("/")
    assert "there is no" in disk.unable("/nowhere/at/all")


def test_what_others_have_on_a_file_system_is_seen(tmp_path):
    for name in ("17", "lost+found", disk.FILE, "stranger"):
        (tmp_path / name).mkdir()
    assert disk.others(tmp_path, tmp_path / "17" / "demo") == ["stranger"]
