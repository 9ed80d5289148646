"""Many events as one argument of a call. Salt takes arguments apart as YAML; this text is one that it leaves alone."""

import base64
import binascii
import json
import zlib

MARK = "saltroni1."
#: What a parcel may hold when it is unpacked (bytes): more is refused before it takes memory.
LARGEST = 16_000_000


class ParcelError(ValueError):
    """The text is no parcel."""


def pack(value):
    """JSON-able ``value`` as text of letters, digits, ``-``, ``_`` and one dot."""
    packed = zlib.compress(json.dumps(value, separators=(",", ":")).encode())
    return MARK + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpack(text):
    """What :func:`pack` was given.

    Raises:
        ParcelError: it is damaged, or larger than :data:`LARGEST`.
    """
    if not isinstance(text, str) or not text.startswith(MARK):
        raise ParcelError("this is no parcel of events")
    body = text[len(MARK) :]
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        content = stream.decompress(packed, LARGEST)
        if stream.unconsumed_tail:
            raise ParcelError(f"it holds more than {LARGEST} bytes")
        return json.loads(content)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as err:
        raise ParcelError(f"the parcel is damaged: {err}") from err
