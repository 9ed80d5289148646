"""archive_command, restore_command, whose an archive is, a base backup, the archive's health: with a tool made of memory."""

import contextlib
import dataclasses
import getpass
import os
import struct
from datetime import UTC, datetime, timedelta

import pytest

from saltroni.backup import __main__ as program
from saltroni.backup import base, fetch, files, health, inherited, local, owner, push, remembered, settings, tools, wal
from saltroni.backup.failure import Failure
from saltroni.backup.tools import FULL, Backup

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SYSTEM = 77


def segment(number, timeline=1, system=SYSTEM):
    first = wal.HEADER.pack(0xD116, 2, timeline, number * 2**20, 0, system, 2**20, wal.PAGE)
    return first + bytes(2**20 - len(first))


class Memory:
    """A tool whose storage is a dict."""

    from_replica = True

    def __init__(self):
        self.files, self.whose, self.made, self.failure = {}, None, [], None
        self.asked = 0

    def _fail(self):
        if self.failure:
            raise self.failure

    def push_wal(self, path):
        self._fail()
        if self.files.setdefault(path.name, path.read_bytes()) != path.read_bytes():
            raise Failure("differs", f"{path.name} differs")

    def fetch_wal(self, name, target, prefetch=None):
        self._fail()
        if name not in self.files:
            raise Failure("missing", f"{name} isn't there")
        target.write_bytes(self.files[name])

    def segments(self):
        self._fail()
        return dict.fromkeys(self.files, NOW)

    def list(self):
        self._fail()
        return self.made

    def owner(self):
        self.asked += 1
        self._fail()
        return self.whose

    def claim(self, whose):
        self._fail()
        self.whose = whose

    def backup(self, full):
        self._fail()
        start = 5 * 2**20 + 40
        one = Backup("b1", FULL, None, NOW, NOW, start, start + 100, wal.segment_of(1, start, 2**20), 1, 9, 3, SYSTEM)
        self.made.append(one)
        return {"backup": "b1", "kind": FULL, "bytes": 3, "took_s": 1.0}

    def expire(self, keep_full, keep_days):
        return ["b0"]


@pytest.fixture
def told(tmp_path):
    data = tmp_path / "data"
    for folder in ("global", "pg_wal/archive_status"):
        (data / folder).mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    (data / "global" / "pg_control").write_bytes(struct.pack("<Q", SYSTEM) + bytes(100))
    (tmp_path / "state").mkdir()
    return settings.Settings(
        cluster="demo", member="pg1", tool="walg", major=17, data_dir=str(data), prefix="s3://b/demo/17",
        state_folder=str(tmp_path / "state"), segment_bytes=2**20, user=getpass.getuser(), archived_timeout_s=9,
    )  # fmt: skip


@pytest.fixture
def tool():
    return Memory()


def put(told, number, timeline=1, **more):
    path = told.wal / wal.name(timeline, number, 2**20)
    path.write_bytes(segment(number, timeline, **more))
    return path


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


DESCENT2 = wal.line(2, "1\t0/A00000\tx\n")


def here(timeline=2, in_recovery=False, descent=DESCENT2):
    return lambda told: local.Where(in_recovery, timeline, 12 * 2**20, tuple(descent))


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


def test_the_interface_is_complete():
    from saltroni.backup import pgbackrest, walg

    wanted = {name for name in vars(tools.Tool) if not name.startswith("_")}
    for provider in (walg.Walg, pgbackrest.PgBackRest):
        assert wanted <= set(vars(provider)) | {"from_replica"}, provider


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
