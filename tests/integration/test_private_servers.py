"""Private servers with a real PostgreSQL: what is restored, promoted, proven, refused. No cluster, no Salt, no storage."""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saltroni.backup import control, inplace, tools, wal

from . import folder_tool

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
ROOT = os.geteuid() == 0
pytestmark = pytest.mark.skipif(
    not BINARIES
    or int(BINARIES[-1].parts[-3]) < 14
    or (ROOT and "postgres" not in {one.pw_name for one in pwd.getpwall()}),
    reason="there is no PostgreSQL here",
)
PROGRAMS = BINARIES[-1].parent if BINARIES else Path()
USER = ["runuser", "-u", "postgres", "--"] if ROOT else []
SEGMENT = 1024 * 1024  # small ones: many of them in little time


def call(*command, check=True, timeout=60, **options):
    done = subprocess.run(
        [*USER, *(str(part) for part in command)], capture_output=True, text=True, timeout=timeout, cwd="/", **options
    )
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


class World:
    """A leader that archives into a folder."""

    def __init__(self, base):
        self.base, self.data = base, base / "17" / "demo"
        self.data.parent.mkdir()
        self.archive = base / "archive"
        self.settings = base / "backup.json"
        told = {
            "cluster": "demo", "member": "pg1", "tool": "walg", "major": int(BINARIES[-1].parts[-3]),
            "data_dir": str(self.data), "prefix": f"file://{self.archive}", "bin_dir": str(PROGRAMS),
            "state_folder": str(base / "state"), "segment_bytes": SEGMENT,
        }  # fmt: skip
        self.settings.write_text(json.dumps(told), encoding="utf-8")
        (base / "state").mkdir()
        (self.archive / "wal").mkdir(parents=True)
        (self.archive / "base").mkdir()
        self.number = 0

    @property
    def tool(self):
        return folder_tool.Folder(inplace.load(self.settings))

    def owned(self):
        if ROOT:
            call("true")
            subprocess.run(["chown", "-R", "postgres:", str(self.base)], check=True)

    def found(self):
        call(PROGRAMS / "initdb", "-D", self.data, "--no-sync", "--data-checksums", f"--wal-segsize={SEGMENT // 2**20}")
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as out:
            out.write(
                "listen_addresses=''\nfsync=off\nshared_buffers='16MB'\narchive_mode=on\nwal_level=replica\n"
                f"unix_socket_directories='{self.base}'\nmax_connections=33\narchive_timeout=0\nmin_wal_size=2MB\n"
                f"archive_command='test ! -f {self.archive}/wal/%f && cp %p {self.archive}/wal/%f'\n"
            )

    def start(self, data=None):
        call(PROGRAMS / "pg_ctl", "-D", data or self.data, "-w", "-l", self.base / "leader.log", "start")

    def stop(self, data=None):
        call(PROGRAMS / "pg_ctl", "-D", data or self.data, "-w", "-m", "fast", "stop", check=False)

    def sql(self, text):
        return call(
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.base, "-d", "postgres", "-c", text
        ).stdout.strip()

    def switch(self):
        name = self.sql("SELECT pg_walfile_name(pg_switch_wal())")
        end = time.monotonic() + 20
        while not (self.archive / "wal" / name).exists():
            assert time.monotonic() < end, "not archived"
            time.sleep(0.05)
        return name

    def backup(self):
        self.number += 1
        place = self.base / f"taken{self.number}"
        started = datetime.now(UTC)
        start = wal.position(self.sql("SELECT pg_current_wal_lsn()"))
        call(
            PROGRAMS / "pg_basebackup",
            "-D",
            place,
            "-h",
            self.base,
            "-c",
            "fast",
            "-X",
            "none",
            "--no-sync",
            "--no-manifest",
        )
        finish = wal.position(self.sql("SELECT pg_current_wal_lsn()"))
        self.switch()
        timeline = int(self.sql("SELECT timeline_id FROM pg_control_checkpoint()"))
        made = tools.Backup(
            id=f"base_{self.number}", kind="full", base=None, started=started, finished=datetime.now(UTC), start_lsn=start,
            finish_lsn=finish, start_segment=wal.segment_of(timeline, start, SEGMENT), timeline=timeline, size=30_000_000,
            stored=1, system_id=int(self.sql("SELECT system_identifier FROM pg_control_system()")),
        )  # fmt: skip
        self.tool.add(made, place)
        self.owned()
        return made.id

    def now(self):
        text = self.sql("SELECT clock_timestamp()")
        time.sleep(0.05)
        return text

    def work(self, **job):
        """Do a job as its unit would; its result."""
        place = self.base / f"job{uuid.uuid4()}"
        place.mkdir()
        (place / "job.json").write_text(
            json.dumps({"settings": str(self.settings), "deadline_s": 60, **job}), encoding="utf-8"
        )
        self.owned()
        with (place / "out").open("w", encoding="utf-8") as out:
            done = subprocess.run(
                [*USER, sys.executable, "-B", folder_tool.__file__, place / "job.json", place / "result.json"],
                stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, cwd="/",
            )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result = json.loads((place / "result.json").read_text(encoding="utf-8"))
        return {**result, "out": (place / "out").read_text(encoding="utf-8")}

    def prove(self, backup, marker=None, target=None, timeline=None):
        folder = self.base / "proof"
        shutil.rmtree(folder, ignore_errors=True)
        return self.work(what="prove", folder=str(folder), backup=backup, target=target or {"latest": True},
                         timeline=timeline or 1, marker=marker)  # fmt: skip

    def control(self, data):
        return control.parse(call(PROGRAMS / "pg_controldata", data).stdout)


@pytest.fixture(scope="module")
def world():
    base = Path(tempfile.mkdtemp(prefix="saltroni-test-", dir="/tmp"))
    base.chmod(0o755)
    made = World(base)
    made.owned()
    try:
        made.found()
        made.start()
        made.tool.claim({"system_identifier": str(made.control(made.data).system_id), "cluster": "demo"})
        made.sql("CREATE SCHEMA saltroni; CREATE TABLE saltroni.marker (id text, why text, at timestamptz)")
        made.sql("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)")
        yield made
    finally:
        with contextlib.suppress(Exception):
            made.stop()
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="module")
def past(world):
    """A base backup, a moment, a table dropped after it."""
    backup = world.backup()
    world.sql("INSERT INTO t SELECT generate_series(1001, 1500)")
    moment = world.now()
    world.sql("DROP TABLE t")
    world.sql("CREATE TABLE later (n int)")
    world.sql("INSERT INTO saltroni.marker VALUES ('m1', 'test', clock_timestamp())")
    world.switch()
    return backup, moment


def test_a_proof_passes_and_leaves_the_archive_as_it_was(world, past):
    before = sorted(path.name for path in (world.archive / "wal").iterdir())
    result = world.prove(past[0], marker="m1")
    assert result["reasons"] == []
    assert result["verdict"] == "passed"
    assert result["loss_s"] >= 0
    assert {"fetch_s", "recover_s", "amcheck_s", "checksums_s"} <= set(result["parts"])
    assert sorted(path.name for path in (world.archive / "wal").iterdir()) == before


def test_a_row_that_should_be_there_fails_the_proof(world, past):
    result = world.prove(past[0], marker="m2")
    assert result["verdict"] == "failed"
    assert "isn't there" in result["reasons"][0]


def test_a_storage_that_is_away_is_never_the_end_of_the_log(world, past):
    (world.archive / "broken").touch()
    try:
        result = world.prove(past[0])
    finally:
        (world.archive / "broken").unlink()
    assert result["verdict"] == "failed"
    assert result["failure"] == "unreachable"


def test_a_page_that_rotted_fails_the_proof(world, past):
    place = world.archive / "base" / past[0] / "base"
    # a table of the catalog's that nothing replays over
    victim = max((path for path in place.glob("1/*") if path.name.isdigit()), key=lambda path: path.stat().st_size)
    kept = victim.read_bytes()
    victim.write_bytes(kept[:8192] + bytes([kept[8192] ^ 1]) + kept[8193:] if len(kept) > 8192 else kept[:-1] + b"\1")
    try:
        result = world.prove(past[0], marker="m1")
    finally:
        victim.write_bytes(kept)
    assert result["verdict"] == "failed", result


def test_a_past_moment_can_be_proven_and_a_moment_beyond_the_archive_not(world, past):
    assert world.prove(past[0], target={"time": past[1]})["verdict"] == "passed"
    result = world.prove(past[0], target={"lsn": "FF/0"})
    assert result["verdict"] == "failed"
    assert "the archive ends before the moment" in result["reasons"][0]


def test_a_table_is_extracted_as_it_was(world, past):
    job = {"what": "extract", "folder": str(world.base / "extract"), "backup": past[0], "target": {"time": past[1]}}
    result = world.work(**job, timeline=1, database="postgres", tables=["t"])
    assert result["tables"] == ["public.t"], result
    assert result["out"].count("\n1500\n") == 1
    assert "later" not in result["out"]
    shutil.rmtree(world.base / "extract")
    assert (
        "there is none at that moment" in world.work(**job, timeline=1, database="postgres", tables=["later"])["error"]
    )


def test_in_place_to_a_moment_then_back_to_the_old_data(world, past):
    """All that a restore does with files: fetched, recovered, promoted, archived; then the old data lead again."""
    data = world.base / "17" / "demo.restored"
    job = {"restore": "r1", "source": str(world.settings), "folder": str(world.base / "restore"), "data": str(data),
           "wal": "", "backup": past[0], "target": {"time": past[1]}, "timeline": 1}  # fmt: skip
    assert world.work(what="fetch", **job)["step"] == "fetched"
    assert world.work(what="fetch", **job)["took_s"] == 0
    recovered = world.work(what="recover", **job)
    assert recovered["step"] == "recovered", recovered
    assert "recovery stopping before commit" in recovered["stopped_at"]
    assert world.control(data).state == control.STOPPED_IN_RECOVERY
    world.stop()
    # Patroni lets nobody lead whose accounts don't have the passwords of today
    sql = ["SET synchronous_commit = local", "ALTER ROLE postgres CONNECTION LIMIT 77"]
    promoted = world.work(what="promote", accounts=sql, **job)
    assert promoted["step"] == "archived", promoted
    assert promoted["timeline"] == 2
    assert "00000002.history" in world.tool.segments()
    assert world.work(what="promote", **job)["timeline"] == 2
    world.start(data)
    try:
        assert world.sql("SELECT count(*), max(n) FROM t") == "1500|1500"
        assert world.sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'postgres'") == "77"
        assert world.sql("SELECT pg_walfile_name(pg_current_wal_lsn())").startswith("00000002")
        world.switch()
    finally:
        world.stop(data)
    # the archive knows timeline 2 now, which isn't the old data's future: as a member starts them, they don't start
    (world.data / "standby.signal").touch()
    world.owned()
    fetch = f"-c restore_command='cp {world.archive}/wal/%f %p'"
    call(
        PROGRAMS / "pg_ctl", "-D", world.data, "-w", "-l", world.base / "standby.log", "-o", fetch, "start", check=False
    )
    assert "is not a child of this server's history" in (world.base / "standby.log").read_text(encoding="utf-8")
    (world.data / "standby.signal").unlink()
    # back: they get a third one
    back = world.work(
        what="promote", **{**job, "data": str(world.data), "target": {"latest": True}, "timeline": "current"}
    )
    assert back["timeline"] == 3, back
    assert inplace.wal.line(3, world.tool.history(3))[0][0] == 1
    world.start()
    assert world.sql("SELECT count(*) FROM later") == "0"


def test_a_promotion_that_broke_off_never_replays_beyond_the_target(world, past):
    data = world.base / "17" / "demo.broken"
    job = {"restore": "r2", "source": str(world.settings), "folder": str(world.base / "restore2"), "data": str(data),
           "wal": str(world.base / "waldir"), "backup": past[0], "target": {"time": past[1]}, "timeline": 1}  # fmt: skip
    world.work(what="fetch", **job)
    # an older recovery's target, which is part of every later base backup
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as out:
        out.write("recovery_target_time = '2001-01-01 00:00:00+00'\n")
    assert world.work(what="recover", **job)["step"] == "recovered"
    assert (data / "pg_wal").is_symlink()
    # a node that lost its power when PostgreSQL had removed its signal, and had no timeline yet
    inplace.mark(data, "r2", "recovered", promoting=1)
    (data / "recovery.signal").unlink()
    # one whose power went after that, before it was written down
    assert world.work(what="promote", **job)["timeline"] == 4
    mark = inplace.marked(data)
    (data / inplace.MARK).write_text(json.dumps({**mark, "step": "recovered"}), encoding="utf-8")
    world.owned()
    again = world.work(what="promote", **job)
    assert (again["step"], again["timeline"]) == ("archived", 4), again
    world.stop()
    world.start(data)
    try:
        assert world.sql("SELECT count(*), max(n) FROM t") == "1500|1500"
    finally:
        world.stop(data)
        world.start()


def test_a_timeline_that_the_archive_knows_is_never_begun_twice(world, past):
    data = world.base / "17" / "demo.twice"
    job = {"restore": "r3", "source": str(world.settings), "folder": str(world.base / "restore3"), "data": str(data),
           "wal": "", "backup": past[0], "target": {"time": past[1]}, "timeline": 1}  # fmt: skip
    world.work(what="fetch", **job)
    # segments of a timeline whose history never reached the archive
    strange = world.archive / "wal" / wal.name(9, 7, SEGMENT)
    strange.write_bytes(b"x")
    try:
        result = world.work(what="promote", **job)
        assert result["kind"] == "differs", result
        assert strange.name in result["error"]
        assert "00000005.history" not in world.tool.segments()
    finally:
        strange.unlink()


def test_what_a_stopped_member_kept_is_pushed(world, past):
    folder = world.base / "stopped" / "pg_wal"
    (folder / "archive_status").mkdir(parents=True)
    (folder.parent / "global").mkdir()
    control_file = folder.parent / "global" / "pg_control"
    control_file.write_bytes(b"another database's")
    assert world.work(what="push", data=str(folder.parent)) == {"pushed": [], "foreign": True, "out": ""}
    control_file.write_bytes((world.data / "global" / "pg_control").read_bytes())
    for name in ("000000010000000000000FFF", "000000010000000000000FFE", "00000009.history"):
        (folder / name).write_bytes(b"x")
        (folder / "archive_status" / f"{name}.ready").touch()
    world.owned()
    assert world.work(what="push", data=str(folder.parent))["pushed"] == [
        "00000009.history", "000000010000000000000FFE", "000000010000000000000FFF",
    ]  # fmt: skip
    assert list(folder.glob("archive_status/*.ready")) == []
    for name in ("00000009.history", "000000010000000000000FFE", "000000010000000000000FFF"):
        (world.archive / "wal" / name).unlink()
