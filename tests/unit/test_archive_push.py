"""archive_command, with a tool made of memory."""

import pytest

from saltroni.backup import push, remembered, wal
from saltroni.backup.failure import Failure

from .archive import SYSTEM, put, segment


def test_a_segment_is_archived_and_may_come_again(told, tool):
    path = put(told, 3)
    push.push(told, tool, f"pg_wal/{path.name}")
    push.push(told, tool, str(path))
    assert list(tool.files) == [path.name]
    assert tool.whose["system_identifier"] == str(SYSTEM)
    assert push.last(told)["success"]["file"] == path.name
    path.write_bytes(segment(3)[:-1] + b"x")
    with pytest.raises(Failure) as caught:
        push.push(told, tool, str(path))
    assert caught.value.kind == "differs"


def test_only_this_members_own_log_is_archived(told, tool, tmp_path, monkeypatch):
    other = tmp_path / "restored" / "pg_wal"
    other.mkdir(parents=True)
    name = wal.name(1, 3, 2**20)
    (other / name).write_bytes(segment(3))
    with pytest.raises(Failure, match="only this member's own"):
        push.push(told, tool, str(other / name))
    # a relative path means the settings' data directory, wherever the caller is
    monkeypatch.chdir(tmp_path / "restored")
    with pytest.raises(Failure, match="isn't there"):
        push.push(told, tool, f"pg_wal/{name}")
    for wrong in ("pg_wal/RECOVERYXLOG", "pg_wal/../postgresql.conf", f"pg_wal/x/{name}"):
        with pytest.raises(Failure):
            push.push(told, tool, wrong)
    assert tool.files == {}


def test_a_log_elsewhere_is_found_through_its_link(told, tool, tmp_path):
    elsewhere = tmp_path / "wal disk"
    told.wal.rename(elsewhere)
    told.wal.symlink_to(elsewhere)
    path = put(told, 3)
    push.push(told, tool, str(elsewhere / path.name))
    assert list(tool.files) == [path.name]


def test_a_damaged_segment_is_not_archived(told, tool):
    path = put(told, 3)
    path.write_bytes(segment(3)[:1000])
    with pytest.raises(Failure, match="1000 bytes"):
        push.push(told, tool, str(path))
    assert push.last(told)["failure"]["kind"] == "corrupt"


def test_failures_are_remembered_until_a_push_succeeds(told, tool):
    path = put(told, 3)
    tool.failure = Failure("unreachable", "refused")
    for now in (100.0, 160.0):
        with pytest.raises(Failure):
            push.push(told, tool, str(path), now=lambda now=now: now)
    assert push.last(told)["failure"] == {
        "kind": "unreachable", "text": "refused", "file": path.name, "since_unix": 100.0, "last_unix": 160.0, "tries": 2,
    }  # fmt: skip
    tool.failure = None
    push.push(told, tool, str(path))
    assert push.last(told)["failure"] is None


def test_a_push_succeeds_though_it_cant_be_written_down(told, tool, monkeypatch, capsys):
    path = put(told, 3)

    def refuse(path, content):
        raise OSError("no space left")

    monkeypatch.setattr(remembered, "write", refuse)
    push.push(told, tool, str(path))  # a full disk is the last reason to stop archiving
    assert tool.files
    assert "can't be written" in capsys.readouterr().err


def test_a_storage_that_fails_is_given_a_rest_by_the_archiver(told, tool):
    """Patroni calls archive_command for each segment that waits before it rewinds: each mustn't wait for its deadline."""
    put(told, 1)
    put(told, 2)
    tool.failure, tool.asked = Failure("timeout", "no answer"), 0
    with pytest.raises(Failure, match="no answer"):
        push.push(told, tool, f"pg_wal/{wal.name(1, 1)}", now=lambda: 1000.0)
    assert push.last(told)["failure"]["last_unix"] == 1000.0
    asked = tool.asked
    with pytest.raises(Failure, match="isn't asked for 20 s") as caught:
        push.push(told, tool, f"pg_wal/{wal.name(1, 2)}", now=lambda: 1010.0)
    assert caught.value.kind == "timeout"
    assert tool.asked == asked
    # a refusal is no failure of the storage: the rest ends
    assert push.last(told)["failure"]["last_unix"] == 1000.0
    tool.failure = None
    push.push(told, tool, f"pg_wal/{wal.name(1, 2)}", now=lambda: 1021.0)
    assert push.last(told)["failure"] is None
