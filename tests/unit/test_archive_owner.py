"""Whose an archive is, with a tool made of memory."""

import contextlib
import dataclasses

import pytest

from saltroni.backup import files, owner, push, wal
from saltroni.backup.failure import Failure

from .archive import put, segment


def test_whose_an_archive_is_is_asked_once_a_minute(told, tool):
    for now in (0.0, 30.0, 59.0, 61.0):
        owner.check(told, tool, now=lambda now=now: 1e9 + now)
    assert tool.asked == 3  # nobody's, claimed and asked again; then after a minute
    # a clock that went back makes no answer good for ever
    owner.check(told, tool, now=lambda: 5e8)
    assert tool.asked == 4


def test_another_clusters_archive_is_refused(told, tool):
    tool.whose = {"system_identifier": "99", "cluster": "other", "since": "2026-01-01"}
    with pytest.raises(Failure, match="belongs to cluster other, system identifier 99 since 2026") as caught:
        owner.check(told, tool)
    assert caught.value.kind == "foreign"
    tool.whose = dict(tool.whose, cluster="demo")  # the same name, founded anew
    with pytest.raises(Failure, match="this database is 77"):
        push.push(told, tool, str(put(told, 3)))
    assert tool.files == {}


def test_an_archive_that_nobody_claimed_may_be_anothers(told, tool):
    tool.files[wal.name(1, 3, 2**20)] = segment(3, system=99)
    with pytest.raises(Failure, match="another database") as caught:
        owner.check(told, tool)
    assert caught.value.kind == "foreign" and tool.whose is None
    tool.files[wal.name(1, 3, 2**20)] = segment(3)
    owner.check(told, tool)
    assert tool.whose["cluster"] == "demo"


def test_an_archive_that_lost_its_owner_isnt_claimed_again(told, tool):
    owner.check(told, tool, now=lambda: 1e9)
    tool.whose = None  # its file system isn't mounted
    with pytest.raises(Failure, match="if it was emptied on purpose, remove") as caught:
        owner.check(told, tool, now=lambda: 1e9 + 61)
    assert caught.value.kind == "gone"


def test_a_folder_on_the_nodes_own_disk_is_no_new_archive(told, tool, tmp_path, monkeypatch):
    lines = tmp_path / "mountinfo"
    lines.write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:5 / /mnt/back\\040ups rw - nfs x rw\n")
    assert files.mount_of("/mnt/back ups/demo/17", lines) == "/mnt/back ups"
    assert files.mount_of("/srv/backups/demo", lines) == "/"
    on_disk = dataclasses.replace(told, prefix="file:///srv/backups/demo/17")
    for place, refused in (("/", True), ("/srv/backups", False)):
        monkeypatch.setattr(files, "mount_of", lambda path, place=place: place)
        with pytest.raises(Failure, match="nothing is mounted") if refused else contextlib.nullcontext():
            owner.check(on_disk, tool)
        assert (tool.whose is None) == refused
