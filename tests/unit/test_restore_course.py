"""The course of a whole-cluster restore: in order, interrupted at every step, tried again."""

import re
from pathlib import Path

import pytest

from saltroni.drill import errand
from saltroni.restore import course, plan

from .conftest import ROOT
from .restores import NODES, Killed, World


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


def test_the_orchestration_does_every_step_once_and_in_order():
    text = Path(ROOT, "salt", "orch", "restore.sls").read_text(encoding="utf-8")
    assert re.findall(r"^  \('(\w+)', '", text, re.MULTILINE) == list(plan.STEPS)
