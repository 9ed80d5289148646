"""One record of the write-ahead log, from its bytes. Pure.

Sources: PostgreSQL's ``xlogrecord.h`` (a header of 24 bytes, then short data as 0xFF, length, data), ``pg_control.h``
(a checkpoint begins with its redo position and its timeline, and holds its time), ``xlog_internal.h`` (pages of 8 KiB
with a header of 24 bytes, 40 at the beginning of a file). All little-endian, as on amd64 and arm64.
"""

import struct

PAGE = 8192
HEADER = struct.Struct("<IIQBBxxI")
#: Enough for a checkpoint and a page's header in between (bytes).
ENOUGH = 512
#: A record's header, that of its data, redo position and timeline (bytes).
LEAST = HEADER.size + 2 + 12
CHECKPOINTS = (0x00, 0x10)  # shutdown, online; of resource manager 0
SHORT_DATA = 0xFF
LONG_HEADER = 0x0002


def unpaged(data, start):
    """``data``, which begins at ``start`` in the log, without the pages' headers that are in it."""
    found, offset = bytearray(), 0
    while offset < len(data):
        within = (start + offset) % PAGE
        if within == 0:
            flags = struct.unpack_from("<H", data, offset + 2)[0] if offset + 4 <= len(data) else 0
            offset += 40 if flags & LONG_HEADER else 24
            continue
        end = min(len(data), offset + PAGE - within)
        found += data[offset:end]
        offset = end
    return bytes(found)


def is_checkpoint(data, start, control):
    """Whether the record at ``start`` is the checkpoint that a control file tells of; None while too little is there.

    Args:
        data: bytes of the log from ``start`` on.
        start: their place.
        control: ``{redo, timeline, time_unix}`` of the checkpoint.
    """
    record = unpaged(data, start)
    if len(record) < LEAST:
        return None
    length, _, _, info, manager, _ = HEADER.unpack_from(record)
    redo, timeline = struct.unpack_from("<QI", record, HEADER.size + 2)
    kind = manager == 0 and info & 0xF0 in CHECKPOINTS and record[HEADER.size] == SHORT_DATA and length >= LEAST
    if not kind or redo != control["redo"] or timeline != control["timeline"]:
        return False
    if len(record) < length:
        return None
    return struct.pack("<q", control["time_unix"]) in record[LEAST:length]
