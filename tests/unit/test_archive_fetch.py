"""restore_command, with a tool made of memory."""

from saltroni.backup import __main__ as program
from saltroni.backup import fetch, settings, wal
from saltroni.backup.failure import Failure

from .archive import SYSTEM, segment


def test_missing_is_believed_only_if_the_archive_is_there(told, tool):
    arguments = (told, tool, wal.name(1, 3, 2**20), "pg_wal/RECOVERYXLOG")
    code, err = fetch.fetch(*arguments, strict=True)
    assert (code, err.kind) == (fetch.STOP, "gone")
    assert fetch.fetch(*arguments, strict=False)[0] == fetch.MISSING
    tool.whose = {"system_identifier": str(SYSTEM), "cluster": "demo"}
    assert fetch.fetch(*arguments, strict=True)[0] == fetch.MISSING
    tool.whose["cluster"] = "other"
    assert fetch.fetch(*arguments, strict=True)[1].kind == "foreign"


def test_a_failure_stops_a_restore_and_lets_a_standby_go_on(told, tool):
    arguments = (told, tool, wal.name(1, 3, 2**20), "pg_wal/RECOVERYXLOG")
    for kind in ("unreachable", "corrupt", "timeout", "credentials", "other"):
        tool.failure = Failure(kind, "x")
        assert fetch.fetch(*arguments, strict=True)[0] == 255
        assert 1 < fetch.fetch(*arguments, strict=False)[0] < 126
    assert fetch.fetch(told, tool, "postgresql.conf", "x", strict=True)[0] == 255


def test_a_file_is_fetched_into_the_data_directory_of_the_caller(told, tool, tmp_path, monkeypatch):
    name = wal.name(1, 3, 2**20)
    tool.files[name] = segment(3)
    restored = tmp_path / "restored"
    (restored / "pg_wal").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert fetch.target(told, "pg_wal/x") == settings.Path(told.data_dir) / "pg_wal/x"
    (restored / "PG_VERSION").write_text("17\n")
    monkeypatch.chdir(restored)
    assert fetch.fetch(told, tool, name, "pg_wal/RECOVERYXLOG", strict=True) == (0, None)
    assert (restored / "pg_wal" / "RECOVERYXLOG").stat().st_size == 2**20
    assert fetch.target(told, "/a/b") == settings.Path("/a/b")


def test_no_mistake_of_ours_looks_like_a_missing_file(monkeypatch, capsys):
    for words, code in ((["--strict"], 255), ([], 2)):
        arguments = ["--settings", "/nowhere/backup.json", "fetch", *words, wal.name(1, 3), "pg_wal/RECOVERYXLOG"]
        assert program.main(arguments) == code
        monkeypatch.setattr(settings, "load", lambda path: 1 / 0)
        assert program.main(arguments) == code
        monkeypatch.undo()
    assert "ZeroDivisionError" in capsys.readouterr().err
    # Python ends with 1 when it can't begin, so 1 never means "missing" between it and the script
    assert fetch.MISSING != 1


def test_a_promotion_waits_for_a_storage_that_fails_only_once(told, tool, tmp_path):
    target = tmp_path / "RECOVERYHISTORY"
    tool.failure = Failure("unreachable", "no answer")
    assert fetch.fetch(told, tool, "00000002.history", str(target), strict=False, now=lambda: 1000.0)[0] == fetch.FAILED
    asked, tool.failure = tool.asked, None
    code, err = fetch.fetch(told, tool, "00000003.history", str(target), strict=False, now=lambda: 1010.0)
    assert (code, tool.asked) == (fetch.FAILED, asked)
    assert "isn't asked for 20 s" in err.text
    # what is restored asks always
    assert fetch.fetch(told, tool, "00000003.history", str(target), strict=True, now=lambda: 1010.0)[0] != fetch.FAILED
    assert (
        fetch.fetch(told, tool, "00000003.history", str(target), strict=False, now=lambda: 1021.0)[0] == fetch.MISSING
    )


def test_a_member_that_follows_has_short_deadlines(told):
    hurried = fetch.hurried(told)
    assert hurried.fetch_timeout_s == hurried.list_timeout_s == told.follow_timeout_s == 5
    assert hurried.push_timeout_s == told.push_timeout_s
