"""Moments of the past: what is understood, what PostgreSQL is told, which base backup leads there."""

from datetime import UTC, datetime, timedelta

import pytest

from saltroni.backup import __main__, choice, control, extract, private, recovery, replica, target, tools, wal
from saltroni.backup.failure import Failure

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "kind", "value"),
    [
        ({"time": "2026-11-25 10:00:00+00"}, "time", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ({"time": "2026-11-25T10:00:00Z"}, "time", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ({"time": "2026-11-25 10:00:00.5"}, "time", datetime(2026, 11, 25, 10, 0, 0, 500000, tzinfo=UTC)),
        ({"time": "2026-11-25 12:00:00+03:00"}, "time", datetime(2026, 11, 25, 9, tzinfo=UTC)),
        # what YAML makes of it
        ({"time": datetime(2026, 11, 25, 10)}, "time", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ({"lsn": "1A/2b3C"}, "lsn", 0x1A00002B3C),
        ({"name": "before the release"}, "name", "before the release"),
        ({"xid": 731}, "xid", 731),
        ({"latest": True}, "latest", None),
        ({"latest": "True", "time": None}, "latest", None),
    ],
)
def test_what_a_person_says_is_understood(asked, kind, value):
    found = target.parse(asked, NOW)
    assert (found.kind, found.value) == (kind, value)
    assert target.parse(found.row(), NOW) == found


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "nothing was said"),
        ({"time": "2026-11-25 10:00", "latest": True}, "time and latest was said"),
        ({"time": "2026-11-25"}, "a day without a time"),
        ({"time": "yesterday"}, "say it like"),
        ({"time": "2026-11-25 12:00:01"}, "hasn't come yet"),
        ({"lsn": "2B3C"}, "say it as PostgreSQL does"),
        ({"name": "x" * 64}, "63 bytes"),
        ({"xid": "many"}, "no number"),
        ({"xid": 2}, "from 3"),
        ({"latest": "perhaps"}, "latest=True"),
        ({"latest": True, "inclusive": "no"}, "true or false"),
        ({"latest": True, "timeline": 0}, "from 1"),
    ],
)
def test_what_is_unclear_is_refused(asked, words):
    with pytest.raises(target.Unclear, match=words):
        target.parse(asked, NOW)


def test_every_target_of_postgresql_is_always_set_and_the_wanted_one_last():
    names = {name for name in target.SETTINGS if not name.endswith(("_inclusive", "_timeline", "_action"))}
    for asked in ({"time": "2026-11-25 10:00"}, {"lsn": "0/3000000"}, {"name": "x"}, {"xid": 700}):
        made = target.settings(target.parse({**asked, "inclusive": False}, NOW), 3)
        assert set(target.SETTINGS) == set(made)
        wanted = f"recovery_target_{next(iter(asked))}"
        assert {name for name in names if made[name]} == {wanted}
        assert list(made)[-1] == wanted
        assert (made["recovery_target_inclusive"], made["recovery_target_timeline"]) == ("off", "3")
    assert all(target.settings(target.Target("latest"))[name] == "" for name in names)


CONTROL = """pg_control version number:            1700
Database system identifier:           7448721233445566778
Database cluster state:               shut down in recovery
Latest checkpoint location:           0/5000060
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     0/6000000
Min recovery ending loc's timeline:   2
wal_level setting:                    replica
max_connections setting:              250
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           5
max_locks_per_xact setting:           64
track_commit_timestamp setting:       off
Data page checksum version:           1
"""


def test_the_control_file_is_read():
    found = control.parse(CONTROL)
    assert (found.system_id, found.timeline, found.checksums, found.stopped) == (7448721233445566778, 2, True, True)
    assert found.end == (2, 0x6000000)
    assert found.settings["max_prepared_transactions"] == "5"
    with pytest.raises(ValueError, match="isn't what pg_controldata says"):
        control.parse("pg_controldata: error: could not open file")


def made(careless=True, major=17, **more):
    return recovery.settings(
        major, control.parse(CONTROL), target.Target("latest"), "fetch %f %p", "/s", "/s/hba.conf", careless, **more
    )


def test_a_private_server_reaches_nothing_and_nobody():
    found = made()
    assert found["listen_addresses"] == ""
    assert found["archive_mode"] == "off"
    assert found["primary_conninfo"] == found["primary_slot_name"] == found["synchronous_standby_names"] == ""
    # no worker can run a job or take another's subscription
    assert found["max_worker_processes"] == found["max_logical_replication_workers"] == "0"
    # so many the leader had: replaying needs them
    assert (found["max_connections"], found["max_prepared_transactions"]) == ("250", "5")
    assert found["fsync"] == "off"
    assert made(careless=False)["fsync"] == "on"
    assert "full_page_writes" not in made(careless=False)
    assert "event_triggers" not in made(major=16)


def test_extensions_that_wrote_log_are_loaded():
    assert (
        recovery.preloaded("shared_preload_libraries = 'a'\n", "# x\nshared_preload_libraries='b,c' # why\n") == "b,c"
    )
    assert recovery.preloaded("#shared_preload_libraries = 'a'\n") == ""


def test_what_a_servers_log_says_of_its_end():
    log = "2026 LOG: x\n{}2026 FATAL:  could not restore file x: exit code 255\n2026 FATAL:  the database system is starting up\n"
    text = "saltroni: 10:11:12 fetching 0001: connection refused (unreachable: the storage doesn't answer)\n"
    assert private.failed(log.format(text)).kind == "unreachable"
    assert "connection refused" in private.failed(log.format(text)).text
    ended = "FATAL:  recovery ended before configured recovery target was reached\n"
    assert private.failed(ended).kind == "missing"
    child = "FATAL:  requested timeline 3 is not a child of this server's history\n"
    assert "isn't on the timeline" in private.failed(child).text
    assert private.failed("").text.endswith("it said nothing")


# the choice


def backup(name, hour, timeline, start, finish, base=None):
    return tools.Backup(
        id=name, kind="delta" if base else "full", base=base, started=NOW.replace(hour=hour), finished=NOW.replace(hour=hour, minute=5),
        start_lsn=start * wal.SEGMENT_BYTES + 40, finish_lsn=finish * wal.SEGMENT_BYTES + 400,
        start_segment=wal.name(timeline, start), timeline=timeline, size=1, stored=1, system_id=7,
    )  # fmt: skip


def stored(timeline, first, last, minute=0, hour=1):
    begin = NOW.replace(hour=hour, minute=minute)
    return {wal.name(timeline, n): begin + timedelta(minutes=n) for n in range(first, last + 1)}


@pytest.fixture
def left():
    """Timeline 1, left by a restore at segment 20, though it went on to 30; timeline 2 is the present."""
    names = {**stored(1, 1, 30), **stored(2, 20, 40, minute=20)}
    names["00000002.history"] = NOW.replace(hour=1, minute=35)
    fork = wal.place(20 * wal.SEGMENT_BYTES + 99)
    backups = [backup("early", 1, 1, 2, 3), backup("abandoned", 2, 1, 25, 26), backup("late", 3, 2, 30, 31)]
    return choice.Archive(backups, names, {2: f"1\t{fork}\tbefore then\n"})


def pick(archive, **asked):
    return choice.choose(target.parse(asked, NOW), archive)


def test_a_backup_of_a_timeline_that_was_left_is_never_the_base_of_the_present(left):
    found = pick(left, latest=True)
    assert (found.backup.id, found.timeline, found.next_timeline) == ("late", 2, 3)
    # abandoned ended at 2:05, before this, but its timeline had been left
    assert pick(left, time="2026-11-25 02:30").backup.id == "early"


def test_a_timeline_that_was_left_can_be_asked_for(left):
    found = pick(left, time="2026-11-25 02:30", timeline=1)
    assert (found.backup.id, found.timeline) == ("abandoned", 1)
    with pytest.raises(Failure, match="no history of timeline 9"):
        pick(left, latest=True, timeline=9)


def test_a_moment_that_has_two_pasts_must_say_which(left):
    with pytest.raises(Failure, match="say timeline=1 for what was there then, or timeline=2"):
        pick(left, time="2026-11-25 01:33")
    # surely before the restore's own target: both are the same
    assert pick(left, time="2026-11-25 01:15").timeline == 2
    assert pick(left, time="2026-11-25 01:33", timeline=2).timeline == 2


def test_a_gap_refuses_what_lies_beyond_it_only():
    names = stored(1, 1, 30)
    for number in (10, 11):
        del names[wal.name(1, number)]
    archive = choice.Archive([backup("b", 1, 1, 2, 3)], names, {})
    for asked in ({"latest": True}, {"time": "2026-11-25 01:15"}, {"lsn": wal.place(12 * wal.SEGMENT_BYTES)}):
        with pytest.raises(Failure, match=f"{wal.name(1, 10)} and 1 more"):
            pick(archive, **asked)
    # a name is wherever it is
    for asked in ({"time": "2026-11-25 01:08"}, {"lsn": wal.place(9 * wal.SEGMENT_BYTES)}, {"name": "x"}):
        assert pick(archive, **asked).backup.id == "b"


def test_a_backup_whose_own_log_is_missing_is_no_backup():
    names = stored(1, 3, 30)
    archive = choice.Archive([backup("b", 1, 1, 2, 3)], names, {})
    with pytest.raises(Failure, match="can't be used"):
        pick(archive, latest=True)


def test_a_delta_without_its_full_one_is_no_backup():
    archive = choice.Archive([backup("d", 1, 1, 2, 3, base="gone")], stored(1, 1, 30), {})
    with pytest.raises(Failure, match="rests upon gone"):
        pick(archive, latest=True)


def test_patronis_arguments_are_understood():
    words = ["replica", "--waldir=/w", "--scope=demo", "--datadir=/d", "--role=replica", "--connstring=host=x"]
    told = __main__.parser().parse_args(words)
    assert (told.datadir, told.waldir) == ("/d", "/w")


def test_a_replica_gets_the_newest_backup_of_the_leaders_past(left):
    assert replica.backup_for(left, 2).id == "late"
    assert replica.backup_for(left, 1).id == "abandoned"
    with pytest.raises(Failure, match="doesn't know the leader's timeline 3"):
        replica.backup_for(left, 3)
    members = {"members": [{"role": "replica", "timeline": 1}, {"role": "leader", "timeline": 4}]}
    assert replica.leaders_timeline(members) == 4


# extracts

TABLES = [("public", "orders"), ("public", "Häuser"), ("old", "orders"), ("odd", 'a"b'), ("public", "old.orders")]


def test_tables_are_told_apart():
    assert extract.chosen(TABLES, ["Häuser", "public.orders"]) == [("public", "Häuser"), ("public", "orders")]
    with pytest.raises(extract.Ambiguous, match=r"public\.orders, old\.orders"):
        extract.chosen(TABLES, ["orders"])
    with pytest.raises(extract.Ambiguous, match="there is none"):
        extract.chosen(TABLES, ["Orders"])
    # with its schema it is clear, even if another table has a dot in its name
    assert extract.chosen(TABLES, ["old.orders"]) == [("old", "orders")]


def test_pg_dump_takes_names_literally():
    words = extract.command("/p", "/s", "it's host=evil", [("odd", 'a"b*')], "custom")
    assert '--table="odd"."a""b*"' in words
    assert words[-1] == "--dbname=dbname='it\\'s host=evil'"
