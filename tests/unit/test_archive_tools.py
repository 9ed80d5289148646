"""What a failure of WAL-G or pgBackRest means, as they said it when it was measured; how a tool is run."""

import dataclasses
import getpass
import json
import os
import sys
import time
from pathlib import Path

import pytest

from saltroni.backup import files, local, pgbackrest, run, settings, tools, wal, walg
from saltroni.backup.failure import KINDS, Failure

HEAD = "ERROR: 2026/11/25 20:18:41.123456 "


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("list folder: failed to list s3 folder: 'demo/17/': NoSuchBucket: msg", "no_bucket"),
        ("failed to head s3 object 'x': Forbidden: Forbidden", "credentials"),
        ("failed to read object: 'x' from S3: SignatureDoesNotMatch: msg", "credentials"),
        ("InvalidAccessKeyId: msg of InvalidAccessKeyId", "credentials"),
        ("RequestTimeTooSkewed: The difference between", "clock"),
        ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time "
         "2020-01-01T00:00:00Z is before 2026-11-01T00:00:00Z", "clock"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "certificate"),
        ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time "
         "2026-11-26T02:53:40Z is after 2026-11-25T02:50:50Z", "certificate"),
        ("Get \"https://s3:8333/b\": remote error: tls: internal error\nsend request failed", "unreachable"),
        ("RequestError: send request failed\ncaused by: Get \"http://127.0.0.1:9\": dial tcp 127.0.0.1:9: connect: "
         "connection refused", "unreachable"),
        ("dial tcp: lookup nohost.invalid: no such host", "unreachable"),
        ("InternalError: msg", "unreachable"),
        ("ServiceUnavailable: Service Unavailable", "unreachable"),
        ("XMinioStorageFull: msg", "full"),
        ("InsufficientStorage: Insufficient Storage", "full"),
        ("unable to copy data to file: write /mnt/x: no space left on device", "full"),
        ("invalid input: magic number mismatch", "corrupt"),
        ("openpgp: incorrect key", "corrupt"),
        ("unexpected EOF", "corrupt"),
        ("CRC check failed", "corrupt"),
        ("unexpected literal count, want 5 bytes, but only 4 is available", "corrupt"),
        ("failed to init decrypt reader: EOF", "corrupt"),
        ("WAL file 'pg_wal/0' already archived, contents differ, unable to overwrite", "differs"),
        ("Failed to find any configured storage", "settings"),
        ("something else", "other"),
    ],
)  # fmt: skip
def test_walgs_words_mean_something(text, kind):
    assert run.classify(HEAD + text, 1) == kind


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (103, "ERROR: [103]: unable to find a valid repository\n       repo1: [ArchiveMismatchError] PostgreSQL version 17",
         "foreign"),
        (45, "ERROR: [045]: WAL file '0' already exists in the repo1 archive with a different checksum", "differs"),
        (42, "ERROR: [042]: unable to get 0:\n       repo1: x.zst [CryptoError] cipher header missing", "corrupt"),
        (82, "ERROR: [082]: unable to push WAL file '0' to the archive asynchronously after 60 second(s)", "timeout"),
        (50, "ERROR: [050]: unable to acquire lock on file '/tmp/x': Resource temporarily", "busy"),
        (49, "ERROR: [049]: x", "unreachable"),
        (55, "ERROR: [055]: unable to load info file '/b/archive.info' or '/b/archive.info.copy':\n"
         "       FileMissingError: unable to open missing file '/b/archive.info' for read", "gone"),
        (103, "ERROR: [103]: unable to find a valid repository:\n       repo1: [ProtocolError] unable to load info file "
         "'/b/archive.info' or '/b/archive.info.copy':\n       ProtocolError: HTTP request failed with 403 (Forbidden):",
         "credentials"),
    ],
)  # fmt: skip
def test_pgbackrests_codes_mean_something(code, text, kind):
    assert run.classify(text, code, "pgbackrest") == kind


@pytest.mark.parametrize(
    ("own", "kind"),
    [("2026-11-27 00:13:49", "clock"), ("2026-11-26 22:13:49", "clock"), ("2026-11-26 23:20:01", "credentials")],
)
def test_a_refusal_that_does_not_say_why_is_the_clock_if_the_times_are_far_apart(own, kind):
    """What pgBackRest prints of the answer to HEAD, which has no content."""
    said = f"""{own}.977 P00  ERROR: [039]: HTTP request failed with 403 (Forbidden):
                                    *** Path/Query ***:
                                    HEAD /saltroni-demo/demo/17
                                    *** Response Headers ***:
                                    content-type: application/xml
                                    date: Thu, 26 Nov 2026 23:13:49 GMT
                                    server: SeaweedFS 8000GB 4.48
"""
    assert run.classify(said, 39, "pgbackrest") == kind


def test_every_kind_says_what_to_do():
    assert {kind for kind, _ in run.RULES} <= set(KINDS)
    assert Failure("no such kind", "x").kind == "other"
    assert "free space" in str(Failure("full", "x"))


def test_words_are_cut_to_what_tells_why():
    said = (
        f"INFO: 2026/11/25 20:18:40.1 hello\n{HEAD}list folder: RequestError: send request failed\ncaused by: Get x\n\n"
    )
    assert run.short(said) == "ERROR: list folder: RequestError: send request failed; caused by: Get x".removeprefix(
        "ERROR: "
    )
    assert run.short(f"{HEAD}no space left\n{HEAD}WAL-G could not complete upload.\n") == "no space left"
    assert run.short("") == "it said nothing"
    assert run.short("one\ntwo\nthree") == "two; three"


def test_secrets_are_never_repeated(tmp_path):
    told = tmp_path / "walg.yaml"
    told.write_text(
        'AWS_ACCESS_KEY_ID: "AKIAEXAMPLE1"\nAWS_SECRET_ACCESS_KEY: s3cr3ts3cr3t\nWALG_S3_PREFIX: "s3://b"\n'
    )
    ini = tmp_path / "pgbackrest.conf"
    ini.write_text(
        "[global]\nrepo1-s3-key=AKIAEXAMPLE1\nrepo1-s3-key-secret=s3cr3ts3cr3t\nrepo1-cipher-pass=cccccccc\n"
    )
    assert run.configured(told) == ["AKIAEXAMPLE1", "s3cr3ts3cr3t"]
    assert run.configured(ini) == ["AKIAEXAMPLE1", "s3cr3ts3cr3t", "cccccccc"]
    assert run.configured(tmp_path / "none") == []
    done = run.Done(1, "", f"{HEAD}key AKIAEXAMPLE1 and s3cr3ts3cr3t, password=hunter2hunter2")
    text = run.failure(done, "trying", "walg", told).text
    assert "AKIA" not in text and "s3cr3t" not in text and "hunter2" not in text
    assert run.scrub("InvalidAccessKeyId: msg") == "InvalidAccessKeyId: msg"


def test_a_tool_is_ended_by_the_deadline_whatever_it_leaves_behind(tmp_path):
    began = time.monotonic()
    with pytest.raises(Failure, match=r"ended after 0\.5 s: half a word") as caught:
        run.run([sys.executable, "-c", "import time; print('half a word', flush=True); time.sleep(60)"], 0.5)
    assert caught.value.kind == "timeout"
    # a child that holds its output, as WAL-G's fetching in advance does, isn't waited for
    script = "import subprocess; subprocess.Popen(['sleep', '20']); print('done')"
    assert run.run([sys.executable, "-c", script], 10).out == "done\n"
    assert time.monotonic() - began < 10
    with pytest.raises(Failure, match="can't be run"):
        run.run([str(tmp_path / "none")], 1)


def test_a_tool_gets_no_environment_of_ours(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    done = run.run(["/usr/bin/env"], 5, environment={"PGHOST": "/run"})
    assert "ours" not in done.out
    assert "PGHOST=/run" in done.out


TOLD = {
    "cluster": "demo",
    "member": "pg1",
    "tool": "walg",
    "major": 17,
    "data_dir": "/data",
    "prefix": "s3://b/demo/17",
}


def test_settings_are_checked(tmp_path):
    path = tmp_path / "backup.json"
    path.write_text(json.dumps({**TOLD, "of a later version": 1}))
    told = settings.load(path)
    assert (told.programs, told.wal) == (settings.Path("/usr/lib/postgresql/17/bin"), settings.Path("/data/pg_wal"))
    assert isinstance(tools.tool(told), walg.Walg)
    assert (
        tools.tool(told).from_replica
        and not tools.tool(settings.from_dict({**TOLD, "tool": "pgbackrest"})).from_replica
    )
    for wrong, words in (({"tool": "barman"}, "not one of"), ({"prefix": ""}, "lacks prefix")):
        path.write_text(json.dumps({**TOLD, **wrong}))
        with pytest.raises(settings.SettingsError, match=words):
            settings.load(path)
    path.write_text("{")
    with pytest.raises(settings.SettingsError, match="can't be read"):
        settings.load(path)


def script(tmp_path, text):
    """A stand-in for WAL-G."""
    path = tmp_path / "wal-g"
    path.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n{text}\n')
    path.chmod(0o755)
    (tmp_path / "calls").touch()
    return settings.from_dict(
        {
            **TOLD,
            "walg": str(path),
            "walg_config": str(tmp_path / "walg.yaml"),
            "state_folder": str(tmp_path),
            "user": getpass.getuser(),
        }
    )


@pytest.mark.parametrize("said", ["SignatureDoesNotMatch: y", "InternalError: y status code: 500"])
def test_who_takes_nothing_and_can_be_read_is_full(tmp_path, said):
    refused = f'echo "ERROR: x {said}" >&2; exit 1'
    segment = tmp_path / "000000010000000000000001"
    told = script(tmp_path, f'case "$1 $2" in "st ls") exit 0;; *) {refused};; esac')
    tool = tools.tool(told)
    for write in (lambda: tool.push_wal(segment), lambda: tool.claim({})):
        with pytest.raises(Failure, match="what is there can be read") as caught:
            write()
        assert caught.value.kind == "full"
    # nor is one that takes a small file, having refused a large one
    told = script(tmp_path, f'case "$1 $2" in "st ls"|"st check") exit 0;; *) {refused};; esac')
    with pytest.raises(Failure, match="takes small files now") as caught:
        tools.tool(told).push_wal(segment)
    assert caught.value.kind == "unreachable"
    # what can't be read isn't full, whatever it answers
    with pytest.raises(Failure) as caught:
        tool.fetch_wal(segment.name, tmp_path / "target")
    assert caught.value.kind != "full"
    there = 'echo "obj  36  2026-11-25 20:08:53 +0000 UTC  owner.json"; exit 0'
    told = script(tmp_path, f'case "$1 $2" in "st ls") {there};; *) {refused};; esac')
    with pytest.raises(Failure) as caught:
        tools.tool(told).push_wal(segment)
    assert caught.value.kind == ("credentials" if "Signature" in said else "unreachable")


def test_what_cannot_be_unpacked_while_the_storage_answers_is_corrupt(tmp_path):
    """Seen: a flipped bit in a segment gave "rle symbol 53 >= max 53", and nobody has a list of such words."""
    broken = 'echo "ERROR: rle symbol 53 >= max 53" >&2; exit 1'
    name = "000000010000000000000001"
    for listing, kind in (("exit 0", "corrupt"), ("exit 1", "other")):
        told = script(tmp_path, f'case "$1 $2" in "st ls") {listing};; *) {broken};; esac')
        with pytest.raises(Failure, match="rle symbol") as caught:
            tools.tool(told).fetch_wal(name, tmp_path / "target")
        assert caught.value.kind == kind


def test_pgbackrests_storage_that_takes_nothing_and_can_be_read_is_full(tmp_path):
    told = script(
        tmp_path,
        "case $1 in info) echo '[]';; *) echo 'ERROR: [101]: [500] Internal Server Error' >&2; exit 101;; esac",
    )
    tool = pgbackrest.PgBackRest(dataclasses.replace(told, tool="pgbackrest", pgbackrest=told.walg))
    with pytest.raises(Failure) as caught:
        tool.claim({})
    assert caught.value.kind == "full"
    with pytest.raises(Failure) as caught:
        tool.segments()
    assert caught.value.kind == "unreachable"
    busy = 'info) echo "[]";; repo-put) exit 0;; *) echo "ERROR: [101]: [500] Internal Server Error" >&2; exit 101;;'
    script(tmp_path, f"case $1 in {busy} esac")
    with pytest.raises(Failure, match="takes small files now") as caught:
        tool.claim({})
    assert caught.value.kind == "unreachable"


@pytest.mark.parametrize(
    ("listing", "kind"),
    [
        ("echo \"ERROR: [049]: unable to connect to 's3:8333': [111] Connection refused\" >&2; exit 49", "unreachable"),
        ("echo '{}'", "timeout"),
    ],
)
def test_a_push_of_pgbackrests_that_took_too_long_says_why(tmp_path, listing, kind):
    late = "ERROR: [082]: unable to push WAL file '000000010000000000000001' to the archive asynchronously after 55 second(s)"
    told = script(tmp_path, f'case $1 in repo-ls) {listing};; *) echo "{late}" >&2; exit 82;; esac')
    tool = pgbackrest.PgBackRest(dataclasses.replace(told, tool="pgbackrest", pgbackrest=told.walg))
    with pytest.raises(Failure, match="asynchronously after 55") as caught:
        tool.push_wal(tmp_path / "000000010000000000000001")
    assert caught.value.kind == kind


CONF = """[demo]
pg1-path=/data
pg2-host=pg2
pg2-host-port=8432
pg2-path=/data
pg12-host=pg3
pg12-path=/data
"""


def test_a_base_backup_of_pgbackrests_asks_nobody_but_the_leader(tmp_path, monkeypatch):
    """A member that is down would be waited for three times."""
    assert "pg2-" not in pgbackrest.without_hosts(CONF, {"pg3"})
    assert pgbackrest.without_hosts(CONF, {"pg2", "pg3"}) == CONF
    told = script(tmp_path, "true")
    config, state = tmp_path / "own.conf", tmp_path / "state"
    config.write_text(CONF)
    state.mkdir()
    members = {f"pg{n}": {"address": f"192.0.2.{n}"} for n in (1, 2, 3)}
    told = dataclasses.replace(told, members=members, pgbackrest_config=str(config), state_folder=str(state))
    tool = pgbackrest.PgBackRest(told)
    replica, leader = (local.Where(recovers, 1, 0, ()) for recovers in (True, False))
    for address, kept in (("192.0.2.3", "pg12"), ("pg2", "pg2")):
        monkeypatch.setattr(local, "leaders_address", lambda _, address=address: address)
        made = tool._narrowed(replica)
        assert made.stat().st_mode & 0o777 == 0o600
        assert {line.split("-")[0] for line in made.read_text().splitlines()[1:]} == {"pg1", kept}
    assert "host" not in tool._narrowed(leader).read_text()
    monkeypatch.setattr(local, "leaders_address", lambda _: None)
    assert tool._narrowed(replica) is None


@pytest.mark.parametrize("relative", [False, True])
def test_pgbackrest_is_told_whose_log_it_archives(tmp_path, monkeypatch, relative):
    """Data that are restored, and will replace another database, are beside that one when their history is archived."""
    told = script(tmp_path, f'echo "$@" >{tmp_path}/words')
    tool = pgbackrest.PgBackRest(dataclasses.replace(told, tool="pgbackrest", pgbackrest=told.walg))
    data = tmp_path / "data.restored" / "base"
    (data / "global").mkdir(parents=True)
    (data / "global" / "pg_control").touch()
    (data / "pg_wal").mkdir()
    monkeypatch.chdir(data)
    tool.push_wal((Path("pg_wal") if relative else data / "pg_wal") / "00000007.history")
    assert f"--pg1-path={data}" in (tmp_path / "words").read_text().split()
    # and whose the archive is: a new cluster's is claimed for what was restored into it
    tool.claim({}, str(data))
    assert f"--pg1-path={data}" in (tmp_path / "words").read_text().split()
    # a file of nobody's is the cluster's
    tool.push_wal(tmp_path / "00000007.history")
    assert f"--pg1-path={told.data_dir}" in (tmp_path / "words").read_text().split()


def test_a_push_never_overwrites_and_takes_no_other_files_along(tmp_path):
    told = script(tmp_path, f"env >{tmp_path}/environment")
    tools.tool(told).push_wal(tmp_path / "000000010000000000000001")
    seen = (tmp_path / "environment").read_text().splitlines()
    assert {"WALG_PREVENT_WAL_OVERWRITE=true", "WALG_UPLOAD_CONCURRENCY=1", "S3_MAX_RETRIES=3", "PGDATA=/data"} <= set(
        seen
    )


def test_a_fetched_file_is_there_whole_or_not_at_all(tmp_path):
    target = tmp_path / "RECOVERYXLOG"
    name = "000000010000000000000001"

    def fetched(text):
        try:
            tools.tool(script(tmp_path, text)).fetch_wal(name, target)
        except Failure as err:
            assert not target.exists() and not list(tmp_path.glob("*.saltroni"))
            return err.kind
        return None

    assert fetched("exit 74") == "missing"
    assert fetched("echo 'ERROR: dial tcp: connection refused' >&2; exit 1") == "unreachable"
    assert fetched(': >"$3"; echo "ERROR: magic number mismatch" >&2; exit 1') == "corrupt"
    # 3000 bytes, exit code 0: no segment
    assert fetched('head -c 3000 /dev/zero >"$3"') == "corrupt"
    assert fetched('head -c 16777216 /dev/zero >"$3"') == "corrupt"
    whole = wal.HEADER.pack(0xD116, 2, 1, wal.SEGMENT_BYTES, 0, 77, wal.SEGMENT_BYTES, wal.PAGE)
    (tmp_path / "good").write_bytes(whole + bytes(wal.SEGMENT_BYTES - 40))
    assert fetched(f'cp {tmp_path}/good "$3"') is None
    assert target.stat().st_size == wal.SEGMENT_BYTES
    assert os.listdir(tmp_path).count("RECOVERYXLOG") == 1  # noqa: PTH208


def test_a_segment_that_no_timeline_of_the_descent_passed_is_not_missing():
    """Seen: two failovers within segment B, and wal-verify looked for A on the timeline in between."""
    size = 16 * 2**20
    descent = [(4, 0, 11 * size + 100), (5, 11 * size + 100, 11 * size + 200), (6, 11 * size + 200, None)]

    def row(timeline, number):
        name = f"{timeline:08X}{0:08X}{number:08X}"
        return {"timeline": timeline, "start": name, "end": name, "status": "MISSING_LOST"}

    assert not walg.passes(descent, row(5, 10))
    assert not walg.passes(descent, row(6, 10))
    assert walg.passes(descent, row(4, 10))
    assert walg.passes(descent, row(6, 11))
    assert walg.passes(descent, row(6, 12))
    assert not walg.passes(descent, row(3, 1))


def test_folders_of_one_file_system_and_of_two(tmp_path):
    assert files.same_device(tmp_path / "not" / "there", tmp_path)
    assert not files.same_device("/proc/self", tmp_path)


def test_the_interface_is_complete():
    from saltroni.backup import pgbackrest, walg

    wanted = {name for name in vars(tools.Tool) if not name.startswith("_")}
    for provider in (walg.Walg, pgbackrest.PgBackRest):
        assert wanted <= set(vars(provider)) | {"from_replica"}, provider
