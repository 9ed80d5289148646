"""A whole-cluster restore without a cluster: its plan, its course, interrupted and undone at every step."""

import json
import re
from pathlib import Path

import pytest

from saltroni.backup import target
from saltroni.drill import errand, lock
from saltroni.etcd import gateway
from saltroni.pillar import model
from saltroni.restore import accounts, check, course, dcs, hold, plan, shelf

from .conftest import ROOT

ID = "20261125T101112Z"
NODES = ["pg1", "pg2", "pg3"]
GIB = 2**30


@pytest.fixture
def cluster(settings):
    return model.build(settings)


def fact(**change):
    told = {
        "exists": True, "control": {"state": "in production", "timeline": 2, "system_id": "7", "end": [2, 100]},
        "running": {}, "held": False, "kept": {}, "staged": {}, "mark": {}, "free_bytes": 9 * GIB, "wal_free_bytes": 2 * GIB,
        "data_bytes": 3 * GIB, "busy": False,
    }  # fmt: skip
    return {**told, **change}


def view(**change):
    rows = {name: {"timeline": 2, "state": "streaming"} for name in NODES}
    return {"leader": "pg2", "paused": False, "members": rows, **change}


def survey(**change):
    told = {
        "tool": "walg", "prefix": "s3://b/demo/17", "owner": {"system_identifier": "7", "cluster": "demo"},
        "own_owner": {"system_identifier": "7", "cluster": "demo"}, "highest": 2,
        "windows": [{"timeline": 2, "from": "f", "until": None, "present": True,
                     "gaps": [{"start": "s", "end": None, "first": "0A", "last": "0B"}]}],
        "reasons": [], "backup": {"id": "base_1", "finished": "t", "kind": "full", "size": 4 * GIB, "system_id": 7},
        "timeline": 2, "next_timeline": 3, "until": "u",
    }  # fmt: skip
    return {**told, **change}


def make(cluster, facts=None, seen=None, said=None, asked=None, **chosen):
    facts = {name: fact() for name in NODES} | (facts or {})
    return plan.make(
        cluster, ID, target.parse(asked or {"lsn": "0/5000060"}), plan.options(chosen), view() if seen is None else seen,
        facts, said or survey(),
    )  # fmt: skip


def test_a_plan_says_what_will_be_done(cluster):
    made = make(cluster)
    assert (made["leader"], made["replicas"], made["backup"], made["foreign"]) == (
        "pg2",
        ["pg1", "pg3"],
        "base_1",
        False,
    )
    text = "\n".join(plan.lines(made))
    assert "to LSN 0/5000060" in text
    assert "can be restored on timeline 2: f to now" in text
    assert "not from s to now: 0A is missing" in text
    assert "restore.back brings them back" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"facts": {"pg3": {"error": "silent"}}}, "without=pg3 leaves it out"),
        ({"facts": {"pg1": fact(held=True)}}, "kept from starting by another restore"),
        ({"facts": {"pg1": fact(busy=True)}}, "works on pg1 already"),
        ({"facts": {"pg1": fact(free_bytes=GIB)}}, "keep=leader removes the replicas' old data"),
        ({"facts": {"pg2": fact(free_bytes=GIB)}}, "pg2 needs 5.3 GiB of free space"),
        ({"facts": {"pg2": fact(wal_free_bytes=1)}}, "for WAL"),
        ({"seen": view(paused=True)}, "patroni.resume first"),
        ({"said": survey(reasons=["no backup"], backup=None)}, "no backup"),
        (
            {"said": survey(backup={"id": "b", "finished": "t", "kind": "full", "system_id": 8})},
            "replace=true gives that one up",
        ),
        ({"said": survey(highest=1)}, "the cluster is on timeline 2, the archive knows only 1"),
        ({"source": "/x", "said": survey(own_owner={"system_identifier": "9"})}, "give it another bucket"),
        ({"without": "pg9"}, "pg9 is no PostgreSQL node"),
        ({"without": "pg1,pg2,pg3"}, "nobody is left to lead"),
        ({"keep": "some"}, "all or leader"),
        ({"tome": "x"}, "tome isn't known"),
    ],
)
def test_what_cant_be_done_is_refused_before_anything_changes(cluster, change, words):
    with pytest.raises(plan.Refused, match=re.escape(words)):
        make(cluster, **change)


def test_a_cluster_that_is_gone_can_be_restored_all_the_same(cluster):
    empty = {name: fact(exists=False, control=None, data_bytes=0) for name in NODES}
    empty["pg3"]["free_bytes"] = 99 * GIB
    made = plan.make(cluster, ID, target.Target("latest"), plan.options({}), None, empty, survey())
    assert (made["leader"], made["was_leader"], made["foreign"]) == ("pg3", None, False)


def test_another_database_gives_way_when_that_is_said(cluster):
    fresh = {name: fact(control={"state": "x", "timeline": 1, "system_id": "8", "end": [1, 1]}) for name in NODES}
    made = make(cluster, facts=fresh, replace=True)
    assert made["foreign"] is True


def test_replicas_whose_old_data_go_have_their_room(cluster):
    tight = {name: fact(free_bytes=3 * GIB, data_bytes=4 * GIB) for name in ("pg1", "pg3")}
    assert make(cluster, facts=tight, keep="leader")["keep"] == "leader"


def test_who_led_is_who_was_ahead():
    stopped = {
        "pg1": {"state": "shut down in recovery", "end": [2, 90]},
        "pg2": {"state": "shut down", "end": [2, 100]},
        "pg3": None,
    }
    assert plan.former_leader(stopped) == "pg2"
    # it came back after a failover, with an older timeline and more log
    assert plan.former_leader({**stopped, "pg1": {"state": "shut down", "end": [1, 999]}}, "pg1") == "pg2"
    assert plan.former_leader({**stopped, "pg1": {"state": "shut down", "end": [2, 100]}}, "pg1") == "pg1"
    assert plan.former_leader({"pg1": {"error": "x"}}) is None


# the course


class Killed(BaseException):
    """The master's process is."""


class World:
    """Nodes that remember what they did; a job goes on when the runner is killed."""

    def __init__(self, kill_at=None):
        self.jobs, self.done, self.kept, self.shown = {}, [], None, []
        self.calls, self.kill_at, self.fail = 0, kill_at, {}

    def _count(self):
        self.calls += 1
        if self.kill_at is not None and self.calls == self.kill_at:
            self.kill_at = None
            raise Killed

    def begin(self, node, function, arguments):
        self._count()
        short = function.removeprefix("patroni_restore.")
        job = f"job{len(self.jobs)}"
        self.done.append((node, short))
        self.jobs[job] = self.answer(node, short)
        self._count()
        return job

    def answer(self, node, function):
        if function in self.fail:
            return self.fail[function]
        control = {"state": "shut down", "end": [2, 100 if node == "pg2" else 90], "system_id": "7"}
        return {
            "stop": {"stopped": True, "control": control},
            "push": {"pushed": []},
            "promote": {"timeline": 3, "system_id": 7, "last_commit": "t"},
            "lead_again": {"timeline": 4, "system_id": 7},
            "swap": {"kept": ["x"]},
            "put_back": {"has_data": True, "control": control},
            "start": {"standing": "ok", "timeline": 3},
            "backup": {"verdict": "passed", "backup": "base_2"},
            "forget": {"removed": ["y"]},
        }.get(function, {"ok": True})

    def await_(self, node, job, what, deadline_s):
        self._count()
        return self.jobs[job]

    def keep(self, state):
        self.kept = json.loads(json.dumps(state))

    def hands(self):
        return course.Hands(self.begin, self.await_, self.keep, self.shown.append, lambda: "now")

    def course(self):
        return course.Course(self.kept, self.hands())


@pytest.fixture
def begun(cluster):
    def new(world, **chosen):
        made = make(cluster, **chosen)
        world.keep(course.new(ID, "demo", {}, made, "then"))
        return world

    return new


def functions(world, node):
    return [function for name, function in world.done if name == node]


def test_a_restore_goes_through_all_steps_in_order(begun):
    world = begun(World())
    world.course().run()
    assert list(world.kept["done"]) == list(plan.STEPS)
    assert world.course().finished()
    # replicas are stopped first, the leader last, and all are held before that
    assert [name for name, function in world.done if function == "stop"] == ["pg1", "pg3", "pg2"]
    first_stop = world.done.index(("pg1", "stop"))
    assert all(world.done.index((name, "hold")) < first_stop for name in NODES)
    # nobody starts before the old data of all are out of the way, and no replica before the new base backup
    assert max(world.done.index((name, "swap")) for name in NODES) < world.done.index(("pg2", "forget_leader"))
    assert world.done.index(("pg2", "forget_leader")) < world.done.index(("pg2", "start"))
    assert world.done.index(("pg2", "backup")) < min(world.done.index((name, "start")) for name in ("pg1", "pg3"))
    assert course.told(world.kept)["timeline"] == 3


def test_killed_anywhere_it_goes_on_and_what_still_runs_isnt_begun_twice(begun):
    whole = begun(World())
    whole.course().run()
    for at in range(1, whole.calls + 1):
        world = begun(World(kill_at=at))
        with pytest.raises(Killed):
            world.course().run()
        world.course().run()
        assert list(world.kept["done"]) == list(plan.STEPS)
        # killed between a job's begin and its being written down: one is begun once more, which every step allows; a step
        # of several nodes begins with its first again
        assert len(world.jobs) <= len(whole.jobs) + 6


@pytest.mark.parametrize("steps", range(len(plan.STEPS) + 1))
def test_at_every_step_there_is_a_way_back(begun, steps):
    world = begun(World())
    for name in plan.STEPS[:steps]:
        world.course().step(name)
    done = world.course().back()
    assert done["undone"] is True
    assert world.kept["verdict"] == "undone"
    assert ("pg2", "unmark") in world.done
    stopped = "stop" in plan.STEPS[:steps]
    assert (("pg2", "put_back") in world.done) == stopped
    # the archive knows the restored timeline: without a later one the old data could never be recovered again
    assert (("pg2", "lead_again") in world.done) == ("promote" in plan.STEPS[:steps])
    if stopped:
        starts = [name for name, function in world.done if function == "start"]
        assert starts[-3:] == ["pg2", "pg1", "pg3"]
    assert world.course().back() == {"undone": True}
    with pytest.raises(course.Stopped):
        world.course().step(plan.STEPS[steps] if steps < len(plan.STEPS) else "again")


def test_killed_on_its_way_back_it_goes_on_back(begun):
    for at in range(1, 40, 2):
        world = begun(World())
        for name in plan.STEPS[:8]:
            world.course().step(name)
        world.kill_at = world.calls + at
        try:
            world.course().back()
        except Killed:
            with pytest.raises(course.Stopped, match="being undone"):
                world.course().step("hand_over")
            world.course().back()
        assert world.kept["verdict"] == "undone"


def test_what_fails_can_be_tried_again(begun):
    world = begun(World())
    world.fail["recover"] = "ERROR: the archive ends before the moment\nMinionError: the archive ends before"
    with pytest.raises(course.Stopped, match=r"recover: pg2: .*the archive ends"):
        world.course().run()
    assert world.kept["reasons"]
    assert not course.down(world.kept)
    world.fail.clear()
    world.course().run()
    assert world.course().finished()


def test_a_cluster_that_is_down_is_told(begun):
    world = begun(World())
    world.fail["swap"] = "ERROR: the disk is gone"
    with pytest.raises(course.Stopped):
        world.course().run()
    assert course.down(world.kept)


def test_a_failed_base_backup_stops_before_the_replicas(begun):
    world = begun(World())
    world.fail["backup"] = {"verdict": "failed", "reasons": ["the bucket is full"]}
    with pytest.raises(course.Stopped, match=r"the bucket is full.*takes writes"):
        world.course().run()
    assert ("pg1", "start") not in world.done


def test_a_lost_job_is_begun_again(begun):
    world = begun(World())
    world.course().step("mark")
    lost, waited = [], world.await_

    def await_(node, job, what, deadline_s):
        if not lost:
            lost.append(job)
        if job in lost:
            raise errand.Lost("the minion was restarted")
        return waited(node, job, what, deadline_s)

    world.await_ = await_
    with pytest.raises(course.Stopped, match="minion was restarted"):
        world.course().step("seal")
    world.course().step("seal")
    assert world.done.count(("pg2", "seal")) == 2


def test_a_latest_restore_replays_after_the_stop(begun):
    world = begun(World(), asked={"latest": True})
    world.course().run()
    assert ("pg2", "recover") not in world.done


def test_a_foreign_database_isnt_sealed_and_isnt_led_into_a_new_timeline_on_its_way_back(begun, cluster):
    fresh = {name: fact(control={"state": "x", "timeline": 1, "system_id": "8", "end": [1, 1]}) for name in NODES}
    world = begun(World(), facts=fresh, replace=True)
    world.course().run()
    assert ("pg2", "seal") not in world.done
    world.course().back()
    assert ("pg2", "lead_again") not in world.done


def test_only_the_leaders_old_data_are_kept_if_that_was_said(begun):
    world = begun(World(), keep="leader")
    asked = []
    inner = world.begin

    def begin(node, function, arguments):
        asked.append((node, function, arguments))
        return inner(node, function, arguments)

    world.begin = begin
    world.course().run()
    kept = {node: told["keep"] for node, function, told in asked if function.endswith(".swap")}
    assert kept == {"pg1": False, "pg3": False, "pg2": True}


def test_nothing_is_forgotten_before_the_end(begun):
    world = begun(World())
    with pytest.raises(course.Stopped, match="isn't over"):
        world.course().forget()
    world.course().run()
    world.course().finished()
    assert world.course().forget() == {name: ["y"] for name in ("pg2", "pg1", "pg3")}
    with pytest.raises(course.Stopped, match="no way back"):
        world.course().back()


def test_restores_are_kept_on_disk(tmp_path, begun):
    one = shelf.Shelf(tmp_path)
    with pytest.raises(shelf.ShelfError, match="no restore has been begun"):
        one.chosen()
    world = begun(World())
    one.keep(world.kept)
    assert one.unfinished()["restore"] == ID
    one.keep({**world.kept, "verdict": "finished"})
    assert one.unfinished() is None
    assert one.chosen()["verdict"] == "finished"
    with one.alone(), pytest.raises(shelf.ShelfError, match="under way"), one.alone():
        pass


def test_the_orchestration_does_every_step_once_and_in_order():
    text = Path(ROOT, "salt", "orch", "restore.sls").read_text(encoding="utf-8")
    assert re.findall(r"^  \('(\w+)', '", text, re.MULTILINE) == list(plan.STEPS)


# etcd


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


# a node


def test_patroni_cant_start_while_the_drop_in_is_there(tmp_path):
    path = tmp_path / "patroni.service.d" / "saltroni-restoring.conf"
    assert f"ConditionPathExists=!{path}" in hold.text(ID, path)
    assert not hold.held(path)


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
