"""Faults of processes and of etcd: how they find what they strike, and how they end, without a cluster."""

import dataclasses
import socket
import subprocess
import threading

import pytest

from saltroni import faults, processes
from saltroni.drill import lock
from saltroni.etcd import gateway
from saltroni.failover.promise import VOTER_BACK_S, Promise
from saltroni.faults import (
    backends,
    data_directory_gone,
    kept_down,
    planned,
    port_holder,
    postgres_unreadable,
)
from saltroni.pillar import model


@pytest.fixture
def built(settings):
    told_to = model.build(settings)
    return dict(told_to, self=dict(told_to["nodes"]["pg1"], name="pg1"))


# whom they strike


def fake_process(proc, pid, title, parent):
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cmdline").write_bytes(title.encode() + b"\0\0")
    (proc / str(pid) / "stat").write_text(f"{pid} (postgres: ) x (y) S {parent} 7 7 0\n")


def test_only_the_drills_own_backends_of_this_postmaster_are_found(tmp_path):
    user = "saltroni_drill saltroni_drill 192.168.56.31(54321)"
    fake_process(tmp_path, 12, f"postgres: demo: {user} idle", 10)
    fake_process(tmp_path, 11, f"postgres: {user} INSERT waiting for 0/51B1AD0", 10)
    fake_process(tmp_path, 13, f"postgres: demo: {user} idle", 99)  # of another server
    fake_process(tmp_path, 14, "postgres: demo: app app 192.168.56.31(54321) idle", 10)
    fake_process(tmp_path, 15, "postgres: demo: postgres saltroni_drill [local] idle", 10)
    fake_process(tmp_path, 16, "postgres: demo: checkpointer ", 10)
    (tmp_path / "self").mkdir()
    assert backends.of_drill(10, tmp_path) == [11, 12]


def test_the_parent_of_a_process_with_a_strange_name(tmp_path):
    fake_process(tmp_path, 5, "anything", 77)
    assert processes.parent(5, tmp_path) == 77
    assert processes.state(5, tmp_path) == "S"
    assert processes.parent(6, tmp_path) is None


def test_etcds_leader_is_struck_first():
    fault = faults.named("leader_and_etcd_leader_killed")
    assert [strike.aim for strike in fault.strikes] == ["the etcd leader", "leader"]


def test_a_planned_change_needs_the_password(built):
    assert "no password" in planned.unable(faults.Target.of(dict(built, secrets={})))
    assert planned.unable(faults.Target.of(dict(built, secrets={"restapi": "x"}))) is None


# how they end


@pytest.fixture
def data(tmp_path):
    """A data directory whose WAL is elsewhere."""
    wal = tmp_path / "wal"
    wal.mkdir()
    (wal / "000000010000000000000001").write_text("wal")
    data = tmp_path / "17" / "demo"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17")
    (data / "pg_wal").symlink_to(wal)
    return data


def healed(data):
    subprocess.run(data_directory_gone.heal_command(data), check=True)


def test_what_was_moved_away_is_removed_once_something_took_its_place(data):
    kept = data_directory_gone.aside(data)
    data.rename(kept)
    data.mkdir()
    (data / "PG_VERSION").write_text("new")
    healed(data)
    assert not kept.exists()
    assert (data / "PG_VERSION").read_text() == "new"
    assert (data.parents[1] / "wal" / "000000010000000000000001").exists()


def test_what_was_moved_away_is_put_back_where_nothing_took_its_place(data):
    data.rename(data_directory_gone.aside(data))
    healed(data)
    assert (data / "PG_VERSION").read_text() == "17"
    healed(data)  # harmless without a fault
    assert (data / "PG_VERSION").read_text() == "17"


def test_a_service_that_was_kept_down_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_down, "drop_in", lambda fault, unit: tmp_path / f"{unit}.d" / f"{fault}.conf")
    path = kept_down.drop_in("etcd_lost", "etcd.service")
    path.parent.mkdir()
    path.write_text(kept_down.CONDITION)
    assert kept_down.active("etcd_lost", "etcd.service")
    without_systemd = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    (tmp_path / "systemctl").symlink_to("/bin/true")
    for _ in range(2):  # harmless without a fault
        subprocess.run(kept_down.lift_command("etcd_lost", "etcd.service"), env=without_systemd, check=False)
    assert not path.parent.exists()
    assert not kept_down.active("etcd_lost", "etcd.service")


def test_drop_ins_of_two_faults_are_apart():
    assert str(kept_down.drop_in("etcd_lost", "etcd.service")) == (
        "/run/systemd/system/etcd.service.d/saltroni-etcd-lost.conf"
    )
    assert kept_down.drop_in("etcd_leader_lost", "etcd.service") != kept_down.drop_in("etcd_lost", "etcd.service")


def test_a_mount_over_the_program_is_seen(tmp_path, built):
    info = tmp_path / "mountinfo"
    info.write_text(
        "29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "77 29 0:24 /saltroni/not-executable /usr/lib/postgresql/17/bin/postgres rw - tmpfs tmpfs rw\n"
    )
    path = postgres_unreadable.program(faults.Target.of(built))
    assert postgres_unreadable.mounted(path, info)
    assert not postgres_unreadable.mounted(f"{path}ql", info)


def test_a_port_is_taken_the_moment_it_is_free():
    with socket.create_server(("127.0.0.1", 0)) as owner:
        port = owner.getsockname()[1]
        with pytest.raises(TimeoutError, match=str(port)):
            port_holder.take(port, 0.05)
        held = []
        waiting = threading.Thread(target=lambda: held.extend(port_holder.take(port, 5)))
        waiting.start()
    waiting.join()
    # as PostgreSQL would bind it, on one address
    with pytest.raises(OSError, match="in use"), socket.create_server(("127.0.0.1", port)):
        pass
    # whoever knocks before the holder looks is let in: a dropped SYN would be a second of silence that no taken port makes
    knocking = [socket.create_connection(("127.0.0.1", port), timeout=0.9) for _ in range(8)]
    for one in (*knocking, *held):
        one.close()
    with socket.create_server(("127.0.0.1", port)):
        pass


# the lock, when the fault takes etcd away


class Etcd:
    """Leases and one key, as far as the lock needs them; away when told so."""

    def __init__(self):
        self.away, self.leases, self.owner, self.granted = False, set(), None, 0

    def call(self, path, body):
        if self.away:
            raise gateway.EtcdHttpError("no member of etcd answers")
        if path.endswith("grant"):
            self.granted += 1
            self.leases.add(str(self.granted))
            return {"ID": str(self.granted)}
        if path.endswith("keepalive"):
            return {"TTL": str(lock.TTL_S)} if body["ID"] in self.leases else {}
        if path.endswith("txn"):
            if self.owner is None:
                self.owner = gateway.decode(body["success"][0]["request_put"]["value"])
                return {"succeeded": True}
            return {"responses": [{"response_range": {"kvs": [{"value": gateway.encode(self.owner)}]}}]}
        return {}

    def forget(self):
        self.leases.clear()
        self.owner = None


@pytest.fixture
def locked(monkeypatch):
    """``(etcd, the held lock, pass_s)``; every round of its keeper is made while time passes."""
    etcd, present = Etcd(), [0.0]
    held = lock.take(etcd, "/k", {"drill": "a", "node": "lb1"})
    monkeypatch.setattr(held, "_clock", lambda: present[0])
    held._asked, held._alive_until = 0.0, lock.TTL_S

    def pass_s(seconds):
        for _ in range(int(seconds // lock.KEEP_ALIVE_S)):
            present[0] += lock.KEEP_ALIVE_S
            held._ask()
        present[0] += seconds % lock.KEEP_ALIVE_S

    return etcd, held, pass_s


def test_a_lock_outlives_an_etcd_that_was_away(locked):
    etcd, held, pass_s = locked
    etcd.away = True
    pass_s(60)
    with pytest.raises(lock.LockLost, match="kept alive"):
        held.check()
    etcd.away = False
    held.check()  # the same lease: nobody else can have had it
    assert etcd.granted == 1


def test_a_lock_that_etcd_forgot_is_taken_again(locked):
    etcd, held, pass_s = locked
    etcd.away = True
    pass_s(60)
    etcd.away = False
    etcd.forget()
    held.check()
    assert etcd.granted == 2 and '"a"' in etcd.owner
    pass_s(60)
    held.check()


def test_a_lock_that_somebody_else_took_is_lost(locked):
    etcd, held, pass_s = locked
    etcd.away = True
    pass_s(60)
    etcd.away = False
    etcd.forget()
    lock.take(etcd, "/k", {"drill": "b", "node": "lb2"})
    with pytest.raises(lock.LockLost, match="lb2"):
        held.check()


def test_a_lock_whose_holder_slept_is_lost(locked, monkeypatch):
    etcd, held, _ = locked
    etcd.forget()  # its lease ran out; another drill may have come and gone
    monkeypatch.setattr(held, "_clock", lambda: 2.0 * lock.TTL_S)
    with pytest.raises(lock.LockLost, match="last asked 60 s ago"):
        held.check()


# what they may cost


def test_bounds_of_faults_that_are_made_of_others(settings):
    promise = Promise.of(model.build(settings))
    # the third member has nobody to vote for it until one that crashed is back; without a standby to wait for, no vote
    free = dataclasses.replace(promise, replication="async")
    assert free.crash_twice().most_s == pytest.approx(2 * free.crash().most_s)
    assert promise.crash_twice().most_s == pytest.approx(2 * promise.crash().most_s + VOTER_BACK_S[1])
    assert promise.crash_without_etcd_leader().most_s > promise.crash().most_s
    late_s = {"strict": promise.retry_timeout_s + 5.0, "quorum": 3.0 * promise.loop_wait_s}
    for replication in ("async", "sync", "quorum", "strict"):
        terms = dataclasses.replace(promise, replication=replication).crash_without_etcd_leader().told()["terms"]
        assert terms.get("a first standby") == late_s.get(replication), replication
    assert len(promise.crash_twice().told()["terms"]) == len(promise.crash_twice().terms)


@pytest.mark.parametrize("name", ["etcd_member_lost", "etcd_leader_lost", "etcd_quorum_lost", "etcd_lost"])
def test_etcd_may_cost_no_writes(settings, name):
    assert faults.named(name).cost(Promise.of(model.build(settings))).most_s <= 1
