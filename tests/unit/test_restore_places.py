"""Data directories that change places, interrupted at every single step."""

import os
from pathlib import Path

import pytest

from saltroni.backup import inplace
from saltroni.restore import places

ID = "20261125T101112Z"


class Power(BaseException):
    """The node loses it."""


class Node:
    """A member's folders; ``wal`` tells whether WAL has one of its own."""

    def __init__(self, base, wal):
        self.folders = {"data": str(base / "data" / "demo"), "wal": str(base / "wal" / "demo") if wal else ""}
        for name in ("data", "wal"):
            (base / name).mkdir()

    def fill(self, place, content, mark=None):
        data = Path(place.data)
        data.mkdir()
        if place.wal:
            Path(place.wal).mkdir()
            (data / "pg_wal").symlink_to(place.wal)
        else:
            (data / "pg_wal").mkdir()
        (data / "pg_wal" / "segment").write_text(content, encoding="ascii")
        (data / "table").write_text(content, encoding="ascii")
        if mark:
            inplace.mark(data, mark, "archived")

    def read(self, place):
        """What is there: data and log, which must be of one kind."""
        data = Path(place.data)
        if not data.exists():
            return None
        assert (data / "pg_wal").is_symlink() == bool(place.wal)
        log = (data / "pg_wal" / "segment").read_text(encoding="ascii")
        assert (data / "table").read_text(encoding="ascii") == log
        return log


@pytest.fixture(params=[False, True], ids=["WAL inside", "WAL elsewhere"])
def node(request, tmp_path):
    return Node(tmp_path, request.param)


def interrupted(monkeypatch, work):
    """Do ``work`` again and again, with the power lost at each call that changes something, until it gets through."""
    calls = ("rename", "symlink_to", "unlink", "rmdir")
    for fatal in range(50):
        left = [fatal]

        def wrap(original, left=left):
            def changed(*arguments, **named):
                if left[0] == 0:
                    raise Power
                left[0] -= 1
                return original(*arguments, **named)

            return changed

        with monkeypatch.context() as patch:
            for name in calls:
                patch.setattr(Path, name, wrap(getattr(Path, name)))
            try:
                return work()
            except Power:
                continue
    raise AssertionError("it never got through")


def test_there_and_back_whenever_the_power_is_lost(node, monkeypatch):
    now, then = places.present(node.folders), places.aside(node.folders, ID)
    node.fill(now, "old")
    node.fill(places.staged(node.folders), "new", mark=ID)

    def swap():
        places.set_aside(node.folders, ID)
        places.put_in_place(node.folders, ID)

    interrupted(monkeypatch, swap)
    assert (node.read(now), node.read(then)) == ("new", "old")
    swap()
    assert (node.read(now), node.read(then)) == ("new", "old")
    assert list(places.kept(node.folders)) == [ID]
    assert interrupted(monkeypatch, lambda: places.put_back(node.folders, ID)) is True
    assert node.read(now) == "old"
    assert node.read(places.undone(node.folders, ID)) == "new"
    assert places.put_back(node.folders, ID) is True
    assert node.read(now) == "old"


def test_a_replica_whose_copy_broke_off_gets_its_old_data_back(node):
    now = places.present(node.folders)
    node.fill(now, "old")
    places.set_aside(node.folders, ID)
    assert not os.path.lexists(now.data)
    node.fill(now, "half a copy")
    places.set_aside(node.folders, ID)
    assert node.read(now) == "half a copy"
    assert places.put_back(node.folders, ID) is True
    assert node.read(now) == "old"


def test_a_replica_that_was_copied_keeps_its_copy_aside(node):
    now = places.present(node.folders)
    node.fill(now, "old")
    places.set_aside(node.folders, ID)
    node.fill(now, "copy", mark=ID)
    places.set_aside(node.folders, ID)
    assert node.read(now) == "copy"
    places.put_back(node.folders, ID)
    assert node.read(now) == "old"
    assert node.read(places.undone(node.folders, ID)) == "copy"


def test_old_data_that_need_not_be_kept_are_removed(node):
    now = places.present(node.folders)
    node.fill(now, "old")
    places.set_aside(node.folders, ID, keep=False)
    assert not now.there()
    assert places.kept(node.folders) == {}
    assert places.put_back(node.folders, ID) is False


def test_wal_whose_data_are_gone_is_kept(tmp_path):
    node = Node(tmp_path, True)
    now = places.present(node.folders)
    Path(now.wal).mkdir()
    (Path(now.wal) / "segment").touch()
    places.set_aside(node.folders, ID)
    assert (Path(places.aside(node.folders, ID).wal) / "segment").exists()
    assert not now.there()


def test_nothing_is_put_in_place_that_this_restore_didnt_prepare(node):
    node.fill(places.staged(node.folders), "new", mark="another")
    with pytest.raises(FileNotFoundError, match="isn't what restore"):
        places.put_in_place(node.folders, ID)
    assert not places.present(node.folders).there()


def test_a_second_restore_keeps_what_the_first_one_kept(node):
    now = places.present(node.folders)
    node.fill(now, "oldest")
    places.set_aside(node.folders, "first")
    node.fill(now, "middle", mark="first")
    places.set_aside(node.folders, "second")
    node.fill(now, "newest", mark="second")
    assert node.read(places.aside(node.folders, "first")) == "oldest"
    assert node.read(places.aside(node.folders, "second")) == "middle"
    places.put_back(node.folders, "second")
    places.put_back(node.folders, "first")
    assert node.read(now) == "oldest"
