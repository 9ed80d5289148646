"""A moment in the past that a database is brought back to. Pure.

Source: PostgreSQL's documentation, *Write Ahead Log*, "Recovery Target".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from saltroni.backup import wal

TIME, LSN, NAME, XID, LATEST = "time", "lsn", "name", "xid", "latest"
KINDS = (TIME, LSN, NAME, XID, LATEST)
#: PostgreSQL keeps so many characters of a named point.
NAME_LENGTH = 63
#: Every setting of PostgreSQL by which a recovery can end. All are always given: what an older recovery left behind in
#: ``postgresql.auto.conf``, which is part of a base backup, is in force else.
SETTINGS = {
    "recovery_target": "",
    "recovery_target_lsn": "",
    "recovery_target_name": "",
    "recovery_target_time": "",
    "recovery_target_xid": "",
    "recovery_target_inclusive": "on",
    "recovery_target_timeline": "latest",
    "recovery_target_action": "promote",
}


class Unclear(ValueError):
    """It isn't said which moment is meant; the text says what to say instead."""


@dataclass(frozen=True)
class Target:
    """Where a recovery ends.

    Args:
        kind: one of :data:`KINDS`.
        value: an aware datetime, an LSN (int), a name, a transaction's number (int), or None for ``latest``.
        inclusive: whether what lies exactly there is kept.
        timeline: the timeline to follow; None for the newest that the archive knows.
    """

    kind: str
    value: object = None
    inclusive: bool = True
    timeline: int | None = None

    def words(self):
        """As a person reads it: ``time 2026-11-24 23:36:19.861332+00:00``."""
        if self.kind == LATEST:
            said = "the end of the archive"
        elif self.kind == LSN:
            said = f"LSN {wal.place(self.value)}"
        else:
            said = f"{'transaction' if self.kind == XID else self.kind} {_text(self)}"
        # a name is always inclusive
        said += "" if self.inclusive or self.kind in (NAME, LATEST) else ", exclusive"
        return said + (f" on timeline {self.timeline}" if self.timeline else "")

    def row(self):
        """As a dict with nothing but what JSON knows: :func:`parse` takes it."""
        told = {self.kind: True if self.kind == LATEST else _text(self)}
        told |= {} if self.inclusive else {"inclusive": False}
        return told | ({"timeline": self.timeline} if self.timeline else {})


def _text(target):
    if target.kind == TIME:
        return target.value.isoformat(sep=" ")
    return wal.place(target.value) if target.kind == LSN else str(target.value)


def parse(asked, now=None):
    """The target that a person asks for.

    Args:
        asked: a dict with one of ``time`` (ISO 8601, UTC without a zone), ``lsn``, ``name``, ``xid``, ``latest``, and
            maybe ``inclusive`` and ``timeline``. What is None counts as not said.
        now: an aware datetime, to refuse the future; None for the clock's.

    Raises:
        Unclear: none or several are said, or one that makes no sense.
    """
    told = {name: asked[name] for name in KINDS if asked.get(name) not in (None, False, "")}
    if len(told) != 1:
        found = "nothing" if not told else " and ".join(told)
        raise Unclear(f"say one of time, lsn, name, xid or latest=True: {found} was said")
    kind, value = next(iter(told.items()))
    inclusive = asked.get("inclusive")
    if inclusive not in (None, True, False):
        raise Unclear(f"inclusive is {inclusive!r}: true or false")
    timeline = asked.get("timeline")
    if timeline is not None:
        timeline = _number("timeline", timeline, 2**32 - 1)
    parsed = {
        TIME: lambda: _time(value, now or datetime.now(UTC)),
        LSN: lambda: _lsn(value),
        NAME: lambda: _name(value),
        XID: lambda: _number("xid", value, 2**32 - 1, least=3),
        LATEST: lambda: _latest(value),
    }[kind]()
    return Target(kind, parsed, inclusive is not False, timeline)


def _time(value, now):
    # YAML makes a datetime of what looks like one
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    # PostgreSQL writes a zone as +00
    text = re.sub(r"([+-]\d{2})$", r"\1:00", text) if re.search(r"\d:\d{2}(\.\d+)?[+-]\d{2}$", text) else text
    try:
        found = datetime.fromisoformat(text)
    except ValueError as err:
        raise Unclear(f"time is {value!r}: say it like 2026-11-24 23:36:19+00:00") from err
    if len(text) < len("2026-11-24T23:36"):
        raise Unclear(f"time is {value!r}, a day without a time: say it like 2026-11-24 23:36:19+00:00")
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > now:
        raise Unclear(f"{found.isoformat(sep=' ')} hasn't come yet: it is {now.isoformat(sep=' ', timespec='seconds')}")
    return found


def _lsn(value):
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", str(value)):
        raise Unclear(f"lsn is {value!r}: say it as PostgreSQL does, like 1A/2B3C4D58")
    return wal.position(str(value))


def _name(value):
    text = str(value)
    if len(text.encode()) > NAME_LENGTH or any(ord(one) < 32 for one in text):
        raise Unclear(
            f"name is {value!r}: pg_create_restore_point takes {NAME_LENGTH} bytes, and no control characters"
        )
    return text


def _number(what, value, most, least=1):
    try:
        if isinstance(value, bool):
            raise ValueError
        number = int(str(value))
    except ValueError as err:
        raise Unclear(f"{what} is {value!r}, no number") from err
    if not least <= number <= most:
        raise Unclear(f"{what} is {number}: from {least} to {most}")
    return number


def _latest(value):
    if value is not True and str(value).lower() != "true":
        raise Unclear(f"latest is {value!r}: say latest=True")


def settings(target, timeline=None, action="promote"):
    """PostgreSQL's settings for a target: every one of :data:`SETTINGS`, so that none is left to what was before.

    Args:
        target: a :class:`Target`.
        timeline: the timeline to follow; the target's own, or ``latest``, without it. Here may also be ``current``.
        action: ``promote`` or ``shutdown``; without a target PostgreSQL promotes, whatever is said.
    """
    made = dict(SETTINGS, recovery_target_action=action)
    made["recovery_target_timeline"] = str(timeline or target.timeline or "latest")
    if target.kind != LATEST:
        made["recovery_target_inclusive"] = "on" if target.inclusive else "off"
        # the last: PostgreSQL takes another one that is emptied after it for a second target
        del made[f"recovery_target_{target.kind}"]
        made[f"recovery_target_{target.kind}"] = _text(target)
    return made
