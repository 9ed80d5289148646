"""A base backup: who makes it, full or delta, and when it counts; with a tool made of memory."""

import contextlib
import dataclasses
from datetime import timedelta

import pytest

from saltroni.backup import base, local, wal
from saltroni.backup.failure import Failure
from saltroni.backup.tools import FULL, Backup

from .archive import DESCENT2, NOW, SYSTEM, here

CLUSTER = {
    "leader": "pg1",
    "members": {
        "pg1": {"role": "leader", "state": "running", "timeline": 2, "lag_bytes": 0},
        "pg2": {"role": "replica", "state": "streaming", "timeline": 2, "lag_bytes": 900},
        "pg3": {"role": "replica", "state": "streaming", "timeline": 2, "lag_bytes": 0},
    },
}


def changed(name, **row):
    return {**CLUSTER, "members": {**CLUSTER["members"], name: {**CLUSTER["members"][name], **row}}}


@pytest.mark.parametrize(
    ("cluster", "from_replica", "who"),
    [
        (CLUSTER, True, "pg2"),
        (CLUSTER, False, "pg1"),
        (changed("pg2", state="stopped"), True, "pg3"),
        (changed("pg2", timeline=1), True, "pg3"),
        (changed("pg2", lag_bytes=10**9), True, "pg3"),
        (changed("pg2", lag_bytes=None), True, "pg3"),
        (changed("pg2", tags={"nofailover": True}), True, "pg3"),
        ({**CLUSTER, "members": {"pg1": CLUSTER["members"]["pg1"]}}, True, "pg1"),
    ],
)
def test_a_replica_in_step_makes_the_backup(cluster, from_replica, who):
    assert base.maker(cluster, from_replica) == who


def test_nobody_makes_a_backup_without_a_leader():
    with pytest.raises(Failure, match="nobody leads"):
        base.maker({**CLUSTER, "leader": None})


def test_a_full_backup_is_made_when_the_latest_is_too_old():
    def full(days, timeline=1):
        at = NOW - timedelta(days=days)
        return Backup("x", FULL, None, at, at, 1, 20 * 2**20, "x", timeline, 1, 1, 1)

    line = wal.line(1)
    assert base.wants_full([], line, 7, NOW)
    assert base.wants_full([full(6.99)], line, 7, NOW)
    assert not base.wants_full([full(6)], line, 7, NOW)
    # one of a timeline that was left is none of ours
    assert base.wants_full([full(1, 1)], DESCENT2, 7, NOW)


class World:
    """A cluster whose leader archives the segment when it is told to begin a new one."""

    def __init__(self, tool, archives=True):
        self.tool, self.archives, self.switched, self.now, self.locked = tool, archives, [], 0.0, False

    @contextlib.contextmanager
    def lock(self):
        self.locked = True
        yield
        self.locked = False

    def switch(self, leader):
        self.switched.append(leader)
        if self.archives:
            self.tool.files[wal.name(1, 5, 2**20)] = b""

    def sleep(self, seconds):
        assert self.locked
        self.now += seconds

    def outside(self):
        return base.Outside(lambda: CLUSTER, self.switch, self.lock, lambda: NOW, lambda: self.now, self.sleep)


@pytest.fixture
def leading(monkeypatch):
    monkeypatch.setattr(local, "where", here(1, descent=wal.line(1)))
    monkeypatch.setattr(local, "ask", lambda told, query: [])
    return monkeypatch


def test_a_backup_counts_when_the_leader_has_archived_what_it_needs(told, tool, leading):
    world = World(tool)
    done = base.make(told, tool, world.outside())
    assert (done["verdict"], done["backup"], done["kind"], done["bytes"], done["reasons"]) == (
        "passed",
        "b1",
        FULL,
        3,
        [],
    )
    assert (world.switched, done["expired"]) == (["pg1"], ["b0"])


def test_a_backup_whose_last_segment_never_comes_has_failed(told, tool, leading):
    done = base.make(told, tool, World(tool, archives=False).outside())
    assert done["verdict"] == "failed"
    assert "waited 9 s until pg1 had archived what b1 needs" in done["reasons"][0]
    assert done["expired"] == []


def test_a_backup_of_a_timeline_that_was_left_meanwhile_has_failed(told, tool, leading):
    leading.setattr(local, "where", here(2, descent=wal.line(2, "1\t0/400000\tx\n")))
    done = base.make(told, tool, World(tool).outside())
    assert "left meanwhile" in done["reasons"][0]


def test_a_replicas_backup_begins_at_a_checkpoint_of_its_own(told, tool, leading):
    """WAL-G names it by its checkpoint: a second of that name would be written over the first."""
    tool.named_by_checkpoint = True
    place = wal.line(1)[-1]
    at = iter([0, 2**20, 3 * 2**20])
    asked = []

    def where(_):
        return local.Where(True, 1, next(at, 9 * 2**20), (place,))

    leading.setattr(local, "where", where)
    world = World(tool)
    outside = dataclasses.replace(world.outside(), checkpoint=lambda leader: asked.append(leader) or 3 * 2**20)
    assert base.make(told, tool, outside, full=True)["verdict"] == "passed"
    assert (asked, world.now) == (["pg1"], base.EVERY_S)
    # one that doesn't get it makes none
    leading.setattr(local, "where", lambda _: local.Where(True, 1, 0, (place,)))
    done = base.make(told, tool, outside, full=True)
    assert (done["backup"], "pg1's checkpoint" in done["reasons"][0]) == (None, True)


def test_a_backup_brings_along_the_history_that_an_emptied_archive_lacks(told, tool, leading):
    leading.setattr(local, "where", here(2, descent=wal.line(2, "1\t0/7000000\tx\n")))
    history = told.wal / wal.history_name(2)
    history.write_text("1\t0/7000000\tx\n", encoding="ascii")
    assert base.make(told, tool, World(tool).outside())["verdict"] == "passed"
    assert tool.files[history.name] == history.read_bytes()


def test_tablespaces_are_refused_before_anything_is_stored(told, tool, leading):
    leading.setattr(local, "ask", lambda told, query: [["fast disk"]])
    done = base.make(told, tool, World(tool).outside())
    assert (done["verdict"], done["backup"]) == ("failed", None)
    assert "fast disk" in done["reasons"][0]


def test_a_backup_that_cant_be_expired_is_still_one(told, tool, leading):
    def refuse(keep_full, keep_days):
        raise Failure("unreachable", "x")

    tool.expire = refuse
    done = base.make(told, tool, World(tool).outside())
    assert done["verdict"] == "passed" and "couldn't be expired" in done["reasons"][0]


def test_a_schedule_on_every_node_makes_one_backup(told, tool, leading):
    world = World(tool)
    world.locked = True  # nothing is asked of the lock while one waits
    # pg2's turn, and this is pg1: the backup appears while it waits
    assert base.maker(CLUSTER) == "pg2"
    made = Backup("b7", FULL, None, NOW, NOW, 1, 2**20, "x", 1, 1, 1, SYSTEM)
    outside = dataclasses.replace(world.outside(), sleep=lambda seconds: tool.made.append(made))
    assert "b7 was begun" in base.turn(told, tool, outside, 1800, 900)
    # an old one isn't the one that is due; pg2 never makes it
    tool.made[:] = [dataclasses.replace(made, started=NOW - timedelta(hours=23))]
    assert base.turn(told, tool, world.outside(), 1800, 900) is None
    assert world.now == pytest.approx(900, abs=30)
    # its own turn: at once
    world.now = 0.0
    assert base.turn(dataclasses.replace(told, member="pg2"), tool, world.outside(), 1800, 900) is None
    assert world.now == 0.0
