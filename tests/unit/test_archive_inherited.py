"""A new leader archives what the old one couldn't, with a tool made of memory."""

from saltroni.backup import inherited, local, push, wal
from saltroni.backup.failure import Failure

from .archive import here, put


def test_a_new_leader_marks_what_the_archive_lacks(told, tool, monkeypatch):
    monkeypatch.setattr(local, "where", here())
    status = told.wal / "archive_status"
    for number in range(6, 12):
        name = put(told, number).name
        (status / f"{name}.done").touch()
    put(told, 10, 2)
    (told.wal / "00000002.history").write_text("1\t0/A00000\tx\n")
    for number in (6, 7):
        tool.files[wal.name(1, number, 2**20)] = b""
    done = inherited.mark(told, tool)
    # the fork is at the beginning of segment 10
    missing = [wal.name(1, number, 2**20) for number in (8, 9)]
    assert done == {"timeline": 2, "marked": ["00000002.history", *missing], "asked": True}
    assert sorted(path.name for path in status.glob("*.ready")) == [
        f"{missing[0]}.ready", f"{missing[1]}.ready", "00000002.history.ready",
    ]  # fmt: skip
    assert not (status / f"{missing[0]}.done").exists()
    assert inherited.mark(told, tool)["marked"] == []  # once a timeline


def test_the_first_file_of_a_new_timeline_brings_the_old_ones_along(told, tool, monkeypatch):
    monkeypatch.setattr(local, "where", here())
    name = put(told, 9).name
    (told.wal / "00000002.history").write_text("1\t0/A00000\tx\n")
    push.push(told, tool, "pg_wal/00000002.history")
    assert list(tool.files) == ["00000002.history"]
    assert (told.wal / "archive_status" / f"{name}.ready").exists()


def test_a_new_leader_marks_all_when_the_archive_is_out(told, tool, monkeypatch):
    monkeypatch.setattr(local, "where", here())
    names = [put(told, number).name for number in (8, 9)]
    tool.failure = Failure("unreachable", "x")
    assert inherited.mark(told, tool) == {"timeline": 2, "marked": names, "asked": False}


def test_a_replica_marks_nothing(told, tool, monkeypatch):
    monkeypatch.setattr(local, "where", here(in_recovery=True))
    clock = iter(range(100))
    done = inherited.mark(told, tool, wait_s=3, clock=lambda: next(clock), sleep=lambda seconds: None)
    assert done["timeline"] is None
