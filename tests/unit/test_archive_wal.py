"""Names, places and headers of the write-ahead log; what a new leader inherits."""

import struct

import pytest

from saltroni.backup import inherited, wal

MIB16 = wal.SEGMENT_BYTES
HISTORY3 = "1\t0/A000000\tno recovery target specified\n\n2\t0/C01A2E0\tbefore 2026-11-25 20:15:50+00\n"


def header(name, timeline=None, system=77, segment=MIB16, info=wal.LONG_HEADER, address=None):
    place = wal.number(name) * MIB16 if address is None else address
    return wal.HEADER.pack(0xD116, info, timeline or wal.timeline(name), place, 0, system, segment, wal.PAGE)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("0000000100000000000000A1", wal.SEGMENT),
        ("00000002.history", wal.HISTORY),
        ("0000000100000000000000A1.partial", wal.PARTIAL),
        ("0000000100000000000000A1.00000028.backup", wal.LABEL),
        ("RECOVERYXLOG", None),
        ("0000000100000000000000a1", None),
        ("../0000000100000000000000A1", None),
    ],
)
def test_files_are_known_by_their_names(name, kind):
    assert wal.kind(name) == kind


def test_segments_are_counted_and_named():
    assert wal.name(1, 0xFF) == "0000000100000000000000FF"
    assert wal.name(1, 0x100) == "000000010000000100000000"
    for number in (0, 255, 256, 70000):
        assert wal.number(wal.name(7, number)) == number
    assert wal.segment_of(2, wal.position("1/96000080")) == "000000020000000100000096"
    # other sizes of segments: 64 MiB has 64 of them in 4 GiB
    assert wal.name(1, 64, 64 * 2**20) == "000000010000000100000000"
    assert wal.last_number(wal.position("0/4000000")) == 3
    assert wal.last_number(wal.position("0/4000001")) == 4


def test_a_descent_says_what_belongs_to_it():
    line = wal.line(3, HISTORY3)
    assert line == [(1, 0, 0xA000000), (2, 0xA000000, 0xC01A2E0), (3, 0xC01A2E0, None)]
    assert wal.on_line(line, 2, 0xC01A2E0)
    assert not wal.on_line(line, 2, 0xC01A2E1)
    assert not wal.on_line(line, 4, 1)
    assert [wal.timeline_at(line, lsn) for lsn in (1, 0xA000000, 0xC01A2E0)] == [1, 2, 3]
    assert wal.line(1) == [(1, 0, None)]


def test_what_a_recovery_never_reached_is_no_part_of_the_descent():
    """Seen after a restore that was undone and made again: it followed timeline 21, and stopped in 17, before 20 began."""
    history = "17\t0/300000A0\tx\n\n20\t0/300001C8\tx\n\n21\t0/2E050410\tbefore a time\n\n22\t0/2E050538\tx\n"
    assert wal.line(23, history) == [
        (17, 0, 0x2E050410),
        (22, 0x2E050410, 0x2E050538),
        (23, 0x2E050538, None),
    ]
    first = wal.line(22, "1\t0/100\tx\n17\t0/300\tx\n20\t0/400\tx\n21\t0/100\tx\n")
    assert first == [(1, 0, 0x100), (22, 0x100, None)]


@pytest.mark.parametrize("text", ["<html>", "5\t0/1\tx\n", "2\t0/5000000\tx\n1\t0/4000000\tx\n"])
def test_another_timelines_history_is_refused(text):
    with pytest.raises(ValueError):
        wal.line(3, text)


NAME = "000000020000000000000006"


@pytest.mark.parametrize(
    ("data", "size", "words"),
    [
        (header(NAME), MIB16, None),
        # the first file of a timeline begins with a copy of the one before
        (header(NAME, timeline=1), MIB16, None),
        (header(NAME), 3000, "3000 bytes"),
        (b"", MIB16, "only 0 bytes"),
        (bytes(40), MIB16, "doesn't begin as WAL"),
        (header(NAME, info=0), MIB16, "doesn't begin as WAL"),
        (header(NAME, timeline=3), MIB16, "timeline 3"),
        (header(NAME, address=7 * MIB16), MIB16, "begins at 0/7000000 instead of 0/6000000"),
        (header(NAME, segment=2**20), MIB16, "segments of 1048576"),
        (header(NAME, system=78), MIB16, "another database"),
    ],
)
def test_a_segment_that_isnt_what_its_name_says_is_seen(data, size, words):
    wrong = wal.wrong(NAME, data, size, system_id=77)
    assert (wrong is None) if words is None else words in wrong


def test_the_header_is_as_postgresql_has_it():
    assert wal.HEADER.size == 40
    assert header(NAME)[24:32] == struct.pack("<Q", 77)


def test_a_new_leader_inherits_whole_segments_before_the_fork():
    names = [
        "000000010000000000000008", "000000010000000000000009",
        "00000001000000000000000A",  # the fork at 0/A000000 is its first byte: not a byte of it is needed
        "00000002000000000000000A", "00000002000000000000000B", "00000002000000000000000C", "00000002000000000000000D",
        "00000003000000000000000C", "00000003000000000000000D", "00000002.history", "00000003.history",
        "00000009.history", "archive_status", "00000002000000000000000C.partial",
    ]  # fmt: skip
    assert inherited.waiting(names, wal.line(3, HISTORY3)) == [
        "00000002.history", "00000003.history",
        "000000010000000000000008", "000000010000000000000009", "00000002000000000000000A", "00000002000000000000000B",
    ]  # fmt: skip
