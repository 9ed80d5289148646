"""The plan of a whole-cluster restore: what it says, what it refuses."""

import re

import pytest

from saltroni.backup import target
from saltroni.restore import plan

from .restores import GIB, ID, NODES, fact, make, survey, view


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
