"""What WAL-G and pgBackRest tell about what an archive has, as they said it when it was measured."""

import json
from datetime import UTC, datetime

import pytest

from saltroni.backup import files, pgbackrest, wal, walg
from saltroni.backup.failure import Failure
from saltroni.backup.tools import DELTA, FULL

LIST = json.dumps(
    [
        {
            "backup_name": "base_000000020000000000000006_D_000000010000000000000004", "time": "2026-11-25T20:09:11Z",
            "wal_file_name": "000000020000000000000006", "start_time": "2026-11-25T20:09:09.603146Z",
            "finish_time": "2026-11-25T20:09:10.935761Z", "start_lsn": 100663336, "finish_lsn": 100663552,
            "is_permanent": True, "system_identifier": 7712203539951068310, "uncompressed_size": 3894991,
            "compressed_size": 345176, "pg_version": 170012,
        },
        {
            "backup_name": "base_000000010000000000000004", "time": "2026-11-25T20:09:08Z",
            "start_time": "2026-11-25T20:09:07.000626Z", "finish_time": "2026-11-25T20:09:08.525596Z",
            "start_lsn": 67108904, "finish_lsn": 67109176, "is_permanent": False,
            "system_identifier": 7712203539951068310, "uncompressed_size": 26811844, "compressed_size": 2111842,
        },
    ]
)  # fmt: skip


def test_walgs_list_is_read():
    full, delta = walg.backups(LIST)
    assert (full.id, full.kind, full.base, full.timeline) == ("base_000000010000000000000004", FULL, None, 1)
    assert (delta.kind, delta.base, delta.timeline, delta.permanent) == (DELTA, full.id, 2, True)
    assert full.start_segment == "000000010000000000000004"
    assert delta.finished == datetime(2026, 11, 25, 20, 9, 10, 935761, UTC)
    assert (delta.stored, delta.size, delta.system_id) == (345176, 3894991, 7712203539951068310)
    assert json.dumps(delta.row())
    assert walg.backups("") == walg.backups("[]") == []
    with pytest.raises(Failure, match="isn't understood"):
        walg.backups('[{"backup_name": "stream_2026"}]')
    with pytest.raises(Failure, match="isn't understood"):
        walg.backups("INFO: no backups")


def test_walgs_list_of_files_is_read():
    out = (
        "type size      last modified                        name\n"
        "obj  36        2026-11-25 20:08:53.123 +0000 UTC    00000002.history.zst\n"
        "obj  90125     2026-11-25 20:08:53 +0000 UTC        000000010000000000000001.zst\n"
        "obj  90125     2026-11-25 20:08:54.5 +0000 UTC      000000010000000000000002.partial.zst  \n"
        "obj  10        2026-11-25 20:08:55 +0000 UTC        000000010000000000000003.zst20261125T200855.123456\n"
        "obj  10        2026-11-25 20:08:55 +0000 UTC        000000010000000000000004.00000028.backup.zst\n"
        "dir  0         0001-01-01 00:00:00 +0000 UTC        x/\n"
    )
    found = walg.stored(out)
    assert sorted(found) == ["000000010000000000000001", "000000010000000000000002.partial", "00000002.history"]
    assert found["000000010000000000000001"] == datetime(2026, 11, 25, 20, 8, 53, tzinfo=UTC)


def verification(*rows, integrity="OK", timeline="OK", highest=2):
    keys = ("timeline_id", "start_segment", "end_segment", "segments_count", "status")
    details = [dict(zip(keys, row, strict=True)) for row in rows] or None
    return json.dumps(
        {
            "integrity": {"status": integrity, "details": details},
            "timeline": {
                "status": timeline,
                "details": {"current_timeline_id": 1, "highest_storage_timeline_id": highest},
            },
        }
    )


def test_wal_verify_is_read_and_not_trusted_by_its_exit_code():
    assert walg.verified(verification((1, "a", "b", 2, "FOUND"))) == []
    lost = walg.verified(verification((1, "a", "b", 2, "FOUND"), (1, "c", "c", 1, "MISSING_LOST"), integrity="FAILURE"))
    assert lost == [{"timeline": 1, "start": "c", "end": "c", "status": "MISSING_LOST"}]
    assert walg.verified(verification((1, "c", "c", 1, "MISSING_UPLOADING"), integrity="WARNING")) == []
    with pytest.raises(Failure, match="not why"):
        walg.verified(verification(integrity="FAILURE"))
    with pytest.raises(Failure, match="isn't understood"):
        walg.verified("")


def test_wal_verify_takes_a_new_leaders_timeline_for_the_old_one():
    ahead = verification(timeline="FAILURE", highest=2)
    assert walg.verified(ahead, current=2) == []
    assert walg.verified(ahead, current=1)[0]["status"] == "TIMELINE_AHEAD"


def test_tablespaces_are_seen():
    assert walg.tablespaces('{"Spec": {"base_prefix": "/x", "tablespaces": ["16384"], "16384": {}}}')
    assert not walg.tablespaces('{"LSN": 1}')
    with pytest.raises(Failure):
        walg.tablespaces("")


INFO = {
    "backup": [
        {
            "archive": {"start": "00000001000000000000000F", "stop": "00000001000000000000000F"},
            "database": {"id": 1, "repo-key": 1}, "error": False,
            "info": {"delta": 26761074, "repository": {"delta": 3165664, "size": 3165664}, "size": 26761074},
            "label": "20261125-201040F", "lsn": {"start": "0/F000028", "stop": "0/F000138"}, "prior": None,
            "reference": None, "timestamp": {"start": 1795637440, "stop": 1795637443}, "type": "full",
        },
        {
            "archive": {"start": "000000010000000000000011", "stop": "000000010000000000000012"},
            "database": {"id": 1, "repo-key": 1}, "error": False,
            "info": {"delta": 8458, "repository": {"delta": 464, "size": 3165664}, "size": 26761074},
            "label": "20261125-201040F_20261125-201044D", "lsn": {"start": "0/11000028", "stop": "0/12000050"},
            "prior": "20261125-201040F", "timestamp": {"start": 1795637444, "stop": 1795637445}, "type": "diff",
        },
    ],
    "db": [{"id": 1, "repo-key": 1, "system-id": 7712203539951068310, "version": "17"}], "name": "demo",
    "status": {"code": 0, "message": "ok"},
}  # fmt: skip


def test_pgbackrests_list_is_read():
    full, delta = pgbackrest.backups(json.dumps([INFO]))
    assert (full.kind, full.base, full.stored, full.system_id) == (FULL, None, 3165664, 7712203539951068310)
    assert (delta.kind, delta.base, delta.stored) == (DELTA, full.id, 464)
    assert delta.finish_lsn == wal.position("0/12000050")
    # its seconds are cut off: nothing before the next second is surely after the end
    assert full.finished == datetime.fromtimestamp(1795637444, UTC)
    assert pgbackrest.backups("[]") == []
    assert pgbackrest.owned(json.dumps([INFO]), "demo")["system_identifier"] == "7712203539951068310"
    assert pgbackrest.owned("[]", "demo") is None
    broken = {
        "status": {"code": 99, "message": "other"},
        "db": [],
        "repo": [{"status": {"message": "[HostConnectError] x"}}],
    }
    with pytest.raises(Failure) as caught:
        pgbackrest.owned(json.dumps([broken]), "demo")
    assert caught.value.kind == "unreachable"
    # an archive that can't be read isn't one without backups
    with pytest.raises(Failure):
        pgbackrest.backups(json.dumps([{**broken, "backup": []}]))


def test_pgbackrests_list_of_files_is_read():
    digest = "7f20999f55484f5408147439b74caf8906accdf9"
    out = json.dumps(
        {
            ".": {"type": "path"},
            "17-1/0000000100000000": {"type": "path"},
            f"17-1/0000000100000000/000000010000000000000005-{digest}.zst": {
                "type": "file",
                "size": 8,
                "time": 1795637439,
            },
            f"17-1/0000000100000000/000000010000000000000006.partial-{digest}.zst": {
                "type": "file",
                "time": 1795637439,
            },
            "17-1/00000002.history": {"type": "file", "size": 8, "time": 1795637439},
            "archive.info": {"type": "file", "size": 368, "time": 1795637422},
        }
    )
    assert sorted(pgbackrest.stored(out)) == [
        "000000010000000000000005", "000000010000000000000006.partial", "00000002.history",
    ]  # fmt: skip
    assert pgbackrest.stored("") == {}


def test_pgbackrests_verify_is_read_and_not_trusted_by_its_exit_code():
    assert pgbackrest.verified("") == []
    assert (
        pgbackrest.verified("stanza: demo\nstatus: ok\n  archiveId: 17-1, total WAL checked: 5, total valid WAL: 5\n")
        == []
    )
    found = pgbackrest.verified(
        "stanza: demo\nstatus: error\n  archiveId: 15-1, total WAL checked: 5, total valid WAL: 3\n"
        "  backup: 20261125-201040F, status: invalid, total files checked: 967, total valid files: 966\n    missing: 1\n"
        "  backup: 20261125-201050F, status: valid, total files checked: 967, total valid files: 967\n"
    )
    assert [row["status"] for row in found] == [
        "DAMAGED: 2 segments of 15-1", "DAMAGED: backup 20261125-201040F is invalid",
    ]  # fmt: skip
    assert pgbackrest.verified("status: error\n")[0]["status"].endswith("not why")
    assert (
        "No usable backup.info file"
        in pgbackrest.verified("status: error\n  No usable backup.info file\n")[0]["status"]
    )


def test_pgbackrests_archives_are_read():
    said = [
        {"archive": [{"database": {"id": 1, "repo-key": 1}, "id": "17-1", "max": None, "min": None}], "name": "demo"}
    ]
    assert pgbackrest.archives(json.dumps(said)) == ["17-1"]


@pytest.mark.parametrize("text", ["", "<html>"])
def test_a_damaged_history_is_named_as_such(text):
    with pytest.raises(Failure) as failed:
        files.history("00000003.history", text)
    assert failed.value.kind == "corrupt"
    assert files.history("00000002.history", "1\t0/9\tx\n") == "1\t0/9\tx\n"
