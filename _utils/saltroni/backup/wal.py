"""Names and places in the write-ahead log. Pure.

Sources: PostgreSQL's ``xlog_internal.h`` (names of files; a file's first page has a long header with the system
identifier and the sizes); documentation, *Continuous Archiving*, "Timelines". All little-endian, as on amd64 and arm64.
"""

import re
import struct

from saltroni.lineage import history as _history

SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENT, HISTORY, PARTIAL, LABEL = "segment", "history", "partial", "label"
_KINDS = (
    (SEGMENT, re.compile(r"[0-9A-F]{24}")),
    (HISTORY, re.compile(r"[0-9A-F]{8}\.history")),
    (PARTIAL, re.compile(r"[0-9A-F]{24}\.partial")),
    (LABEL, re.compile(r"[0-9A-F]{24}\.[0-9A-F]{8}\.backup")),
)
#: magic, info, timeline, page's place, remainder, system identifier, segment's size, page's size
HEADER = struct.Struct("<HHIQI4xQII")
LONG_HEADER = 0x0002
PAGE = 8192

#: LSN as text to number and back.
position = _history.position
place = _history.place
history_name = _history.name


def kind(name):
    """What a file of ``pg_wal`` or of the archive is: :data:`SEGMENT`, :data:`HISTORY`, … or None."""
    return next((one for one, pattern in _KINDS if pattern.fullmatch(name)), None)


def timeline(name):
    """The timeline that a file's name begins with."""
    return int(name[:8], 16)


def number(name, segment_bytes=SEGMENT_BYTES):
    """A segment's number, counted from the beginning of the log."""
    return int(name[8:16], 16) * (2**32 // segment_bytes) + int(name[16:24], 16)


def name(of_timeline, of_number, segment_bytes=SEGMENT_BYTES):
    """The reverse: a segment's name."""
    high, low = divmod(of_number, 2**32 // segment_bytes)
    return f"{of_timeline:08X}{high:08X}{low:08X}"


def number_of(lsn, segment_bytes=SEGMENT_BYTES):
    """The number of the segment that holds the byte at ``lsn``."""
    return lsn // segment_bytes


def last_number(lsn, segment_bytes=SEGMENT_BYTES):
    """The number of the last segment that is needed to have everything before ``lsn``."""
    return max(0, lsn - 1) // segment_bytes


def segment_of(of_timeline, lsn, segment_bytes=SEGMENT_BYTES):
    """The name of the segment that holds the byte at ``lsn``."""
    return name(of_timeline, number_of(lsn, segment_bytes), segment_bytes)


def line(of_timeline, text=None):
    """A timeline's whole descent: ``[(timeline, from LSN, to LSN or None)]``, the oldest first, itself the last.

    A recovery that follows a later timeline and stops before that one begins leaves the earlier one there: the new timeline's
    history tells of both all the same, with places that go back (PostgreSQL's timeline.c, ``writeTimeLineHistory``, takes
    over the history of the timeline that was followed). What was never reached is no part of the descent.

    Args:
        of_timeline: the timeline.
        text: its history file; None for a timeline without one, which is the first.

    Raises:
        ValueError: it isn't a history file, or not this timeline's.
    """
    found, begin, before = [], 0, 0
    for number_, left in _history.parse(text) if text else []:
        if not before < number_ < of_timeline:
            raise ValueError(f"this isn't the history of timeline {of_timeline}")
        if left >= begin:
            found.append((number_, begin, left))
        else:
            found = [(one, start, min(end, left)) for one, start, end in found if start < left]
        begin, before = left, number_
    return [*found, (of_timeline, begin, None)]


def on_line(descent, of_timeline, lsn):
    """Whether a place on a timeline is part of a descent (:func:`line`): it was reached before the descent left it."""
    return any(one == of_timeline and (end is None or lsn <= end) for one, _, end in descent)


def timeline_at(descent, lsn):
    """The timeline of a descent that the byte at ``lsn`` belongs to."""
    return next(one for one, _, end in descent if end is None or lsn < end)


def wrong(file_name, data, size, segment_bytes=SEGMENT_BYTES, system_id=None):
    """What is wrong with a segment, as words; None if it may be the one that its name says.

    Args:
        file_name: the segment's name (``.partial`` may follow).
        data: its first bytes, at least 40.
        size: its size in bytes.
        segment_bytes: the cluster's ``wal_segment_size``.
        system_id: the database's system identifier, if it is known.
    """
    if size != segment_bytes:
        return f"it has {size} bytes instead of {segment_bytes}"
    if len(data) < HEADER.size:
        return f"only {len(data)} bytes of it can be read"
    magic, info, page_timeline, address, _, owner, told_bytes, page = HEADER.unpack_from(data)
    if magic >> 8 not in (0xD0, 0xD1) or not info & LONG_HEADER or page != PAGE:
        return "it doesn't begin as WAL does"
    if told_bytes != segment_bytes:
        return f"its header tells of segments of {told_bytes} bytes"
    expected = number(file_name, segment_bytes) * segment_bytes
    if address != expected:
        return f"its header says that it begins at {place(address)} instead of {place(expected)}"
    # the first file of a timeline begins with pages that were copied from the one before
    if not 0 < page_timeline <= timeline(file_name):
        return f"its header is of timeline {page_timeline}"
    if system_id is not None and owner != system_id:
        return f"it is of another database: system identifier {owner} instead of {system_id}"
    return None


def check_file(path, file_name, segment_bytes=SEGMENT_BYTES, system_id=None):
    """The same as :func:`wrong` for a file on this node."""
    with path.open("rb") as source:
        return wrong(file_name, source.read(HEADER.size), path.stat().st_size, segment_bytes, system_id)
