"""Two histories of one timeline are told apart, by the history files and by the log's bytes."""

import json
import struct

import pytest

from saltroni.lineage import history, hold, judge, wal

BEFORE = "1\t0/3000148\tno recovery target specified\n\n2\t0/50001B0\tno recovery target specified\n"
AT = 0x5001FC0  # 64 bytes before the end of a page, so that the record goes on behind a page's header
CONTROL = {"redo": AT, "timeline": 3, "time_unix": 1764040000}


def checkpoint(redo=AT, timeline=3, time_unix=1764040000, info=0x00, manager=0):
    main = struct.pack("<QIIi", redo, timeline, timeline, 1) + bytes(44) + struct.pack("<q", time_unix) + bytes(16)
    return wal.HEADER.pack(24 + 2 + len(main), 0, AT - 64, info, manager, 77) + bytes([0xFF, len(main)]) + main


def paged(record, start=AT, long=False):
    """The record as it stands in the log."""
    room = wal.PAGE - start % wal.PAGE
    header = struct.pack("<HH", 0xD116, wal.LONG_HEADER if long else 0) + bytes(36 if long else 20)
    return record[:room] + header + record[room:]


def test_history_files_are_parsed_and_compared():
    assert history.parse(BEFORE) == [(1, 0x3000148), (2, 0x50001B0)]
    assert history.difference(history.parse(BEFORE), history.parse(BEFORE)) is None
    other = history.parse(BEFORE.replace("0/50001B0", "0/5000228"))
    assert "left timeline 2 at 0/50001B0, the leader at 0/5000228" in history.difference(history.parse(BEFORE), other)
    assert "at nowhere" in history.difference(history.parse(BEFORE)[:1], other)
    assert history.position(history.place(2**40 + 7)) == 2**40 + 7
    assert history.name(46) == "0000002E.history"
    with pytest.raises(ValueError):
        history.parse("<html>")


@pytest.mark.parametrize("long", [False, True])
def test_a_record_is_read_across_a_page(long):
    assert wal.is_checkpoint(paged(checkpoint(), long=long), AT, CONTROL) is True
    assert wal.is_checkpoint(paged(checkpoint(info=0x10), long=long), AT, CONTROL) is True


@pytest.mark.parametrize(
    "other",
    [
        {"time_unix": 1764040001},  # the same place, another moment
        {"redo": AT - 8},
        {"timeline": 2},
        {"info": 0x30},
        {"manager": 10},
    ],
)
def test_another_record_is_told_from_the_checkpoint(other):
    assert wal.is_checkpoint(paged(checkpoint(**other)), AT, CONTROL) is False


def test_too_few_bytes_prove_nothing():
    whole = paged(checkpoint())
    for cut in (0, 20, wal.LEAST - 1, 90):
        assert wal.is_checkpoint(whole[:cut], AT, CONTROL) is None
    assert wal.is_checkpoint(bytes(512), AT, CONTROL) is False


OWN = {"in_recovery": True, "checkpoint": AT, "history": BEFORE, **CONTROL}
SEEN = {
    "leads": True, "timeline": 3, "history": BEFORE, "data": paged(checkpoint()), "refused": None, "gone": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("own", "seen", "verdict", "words"),
    [
        ({}, {}, judge.SAME, "is in the leader's log"),
        ({"in_recovery": False}, {}, judge.LEADER, "leads"),
        ({"history": BEFORE.replace("50001B0", "50001C0")}, {}, judge.FORKED, "timeline 3 was begun twice"),
        # both left the timeline before at the same place: only the log tells them apart
        ({}, {"data": paged(checkpoint(manager=10))}, judge.FORKED, "something else"),
        ({}, {"data": b"", "refused": "ahead of the WAL flush position"}, judge.FORKED, "isn't in the leader's"),
        ({}, {"data": b"", "gone": True}, judge.UNKNOWN, "no log any more"),
        ({}, {"data": b""}, judge.UNKNOWN, "only 0 bytes"),
        ({}, {"leads": False, "refused": "x"}, judge.UNKNOWN, "doesn't lead"),
        ({"timeline": 4}, {"refused": "x"}, judge.UNKNOWN, "only on 3"),
        ({"history": None}, {}, judge.SAME, "is in"),
    ],
)
def test_what_is_proven_and_what_is_not(own, seen, verdict, words):
    found, sentence = judge.judge({**OWN, **own}, {**SEEN, **seen})
    assert (found, words in sentence) == (verdict, True), sentence


def test_nobody_to_compare_with_proves_nothing():
    assert judge.judge(OWN, None)[0] == judge.UNKNOWN
    assert judge.judge(OWN, {"error": "refused"}) == (judge.UNKNOWN, "refused")


def test_a_member_is_held_and_let_go(tmp_path):
    path, data = tmp_path / "held.yml", tmp_path / "data"
    data.mkdir()
    assert hold.marked(data) is None
    hold.mark(data, "begun twice")
    assert hold.marked(data) == "begun twice"
    (data / hold.MARK).write_text("[]")
    assert "can't be read" in hold.marked(data)
    assert [hold.hold("why", path), hold.hold("why", path), hold.hold("else", path)] == [True, False, True]
    tags = json.loads(path.read_text())["tags"]
    assert tags == {"nofailover": True, "nosync": True, "noloadbalance": True, hold.TAG: "else"}
    assert [hold.release(path), hold.release(path)] == [True, False]


def test_patroni_is_found_among_the_processes(tmp_path):
    for pid, command in ((7, "/usr/bin/python3\0/usr/bin/patroni\0/etc/patroni/merged\0"), (8, "vi\0patroni\0")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text(command)
    (tmp_path / "self").mkdir()
    assert hold.patroni(tmp_path)[0] == 7
    (tmp_path / "7" / "cmdline").unlink()
    assert hold.patroni(tmp_path) == (None, [])
