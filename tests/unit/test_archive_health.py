"""The archive's health, by PostgreSQL's own marks."""

import os

import pytest

from saltroni.backup import health, wal

from .archive import put


def test_the_archives_health_is_read_from_postgresqls_own_marks(told):
    status = told.wal / "archive_status"
    for number, ago in ((1, 900), (2, 600), (3, 300)):
        path = put(told, number)
        os.utime(path, (1e9 - ago, 1e9 - ago))
        mark = status / f"{path.name}.{'done' if number == 1 else 'ready'}"
        mark.touch()
        os.utime(mark, (1e9 - ago, 1e9 - ago))
    seen = health.look(told, now=lambda: 1e9)
    assert (seen["waiting"], seen["oldest"], seen["oldest_s"]) == (2, wal.name(1, 2, 2**20), 600.0)
    assert seen["wal_bytes_s"] == round(2 * 2**20 / 900)
    assert seen["disk_left_s"] == pytest.approx(seen["free_bytes"] / (2 * 2**20 / 900), rel=0.01)
    assert "no push has failed: does archive_command run at all?" in health.sentence(seen)


def test_the_archives_health_says_what_to_do():
    seen = {
        "waiting": 40, "oldest": "000000010000000000000001", "oldest_s": 700.0, "wal_bytes_s": 16e6, "free_bytes": 57.6e9,
        "disk_left_s": 3600, "warn_unarchived_s": 120, "warn_disk_left_s": 14400, "success": None,
        "failure": {"kind": "full", "text": "archiving x", "tries": 9, "since_unix": 1, "last_unix": 2, "file": "x"},
    }  # fmt: skip
    words = health.sentence(seen)
    for part in ("since 12 min", "40 files", "9 pushes failed", "full", "free space there", "ONLY 60 min"):
        assert part in words, words
    assert health.sentence({**seen, "oldest_s": 100.0}) is None
    assert health.sentence({**seen, "waiting": 0, "oldest": None, "oldest_s": None}) is None
    assert health.rate_bytes_s([1.0], 2**20, 2.0) == 0.0
