"""A whole-cluster restore that is undone at every step, kept on disk, and forgotten."""

import pytest

from saltroni.restore import course, plan, shelf

from .restores import ID, NODES, Killed, World, fact


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


def test_a_foreign_database_isnt_sealed_and_isnt_led_into_a_new_timeline_on_its_way_back(begun, cluster):
    fresh = {name: fact(control={"state": "x", "timeline": 1, "system_id": "8", "end": [1, 1]}) for name in NODES}
    world = begun(World(), facts=fresh, replace=True)
    world.course().run()
    assert ("pg2", "seal") not in world.done
    world.course().back()
    assert ("pg2", "lead_again") not in world.done


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
