"""Events on a node's disk: one file an event, durable before :func:`put` returns, removed when acknowledged.

Root writes here, and on PostgreSQL's nodes user postgres too (Patroni's callbacks). So whatever is read is looked at
with suspicion: only small regular files that hold a JSON object count, the rest is told as ``spool/unreadable``.
"""

import contextlib
import json
import os
import re
import stat
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from saltroni import durable, locks

FOLDER = "/var/spool/saltroni"
SUFFIX = ".json"
#: A file that is larger (bytes) isn't one of ours.
LARGEST = 1_000_000
#: What one batch holds at most: events, bytes.
BATCH_EVENTS, BATCH_BYTES = 500, 1_000_000
#: Refused events that are kept to look at; older ones go.
KEPT_REFUSED = 50
KIND = re.compile(r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$")
ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")


@dataclass
class Batch:
    """Events to send, the oldest first, and the files that they came from."""

    events: list = field(default_factory=list)  # dicts of id, kind, time, data
    files: dict = field(default_factory=dict)  # id -> path
    more: bool = False  # not everything fitted


def now():
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def put(kind, data, identity=None, happened=None, folder=FOLDER):
    """Keep an event until the master has it.

    Args:
        kind: ``<what>/<verb>``, like ``drill/finished``.
        data: a JSON-able dict.
        identity: the event's id, by which it is known however often it is sent; a new one without it.
        happened: when, ISO 8601; now without it.
        folder: the spool.

    Returns:
        the event's id.

    Raises:
        OSError: it can't be kept.
        ValueError: kind, id or data aren't such.
    """
    identity = identity or str(uuid.uuid4())
    if not KIND.match(kind) or not ID.match(identity) or not isinstance(data, dict):
        raise ValueError(f"{kind} {identity}: an event has a kind like drill/finished, a plain id, and a dict")
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps({"id": identity, "kind": kind, "time": happened or now(), "data": data}, allow_nan=False)
    temporary = folder / f".{uuid.uuid4()}.new"
    try:
        with temporary.open("x", encoding="ascii") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(folder / f"{identity}{SUFFIX}")
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    durable.sync(folder)
    return identity


def waiting(folder=FOLDER):
    """Names of files that wait for the master, the oldest first. Cheap where there are none."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            # a folder can't be acknowledged away
            if (
                entry.name.endswith(SUFFIX)
                and not entry.name.startswith(".")
                and not entry.is_dir(follow_symlinks=False)
            ):
                with contextlib.suppress(FileNotFoundError):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
    return [name for _, name in sorted(found)]


def batch(folder=FOLDER, largest=BATCH_BYTES, most=BATCH_EVENTS):
    """The oldest events that wait, as a :class:`Batch` of at most ``most`` events and ``largest`` bytes."""
    made, size = Batch(), 0
    names = waiting(folder)
    for name in names:
        path = Path(folder) / name
        try:
            event, length = _read(path)
        except FileNotFoundError:
            continue
        size += length
        if made.events and size > largest:
            break
        made.events.append(event)
        made.files[event["id"]] = path
        if len(made.events) >= most:
            break
    made.more = len(names) > len(made.events)
    return made


def acknowledge(files):
    """Remove events that the master has: an iterable of paths."""
    for path in files:
        with contextlib.suppress(IsADirectoryError, PermissionError):
            Path(path).unlink(missing_ok=True)


def refuse(path, folder=FOLDER):
    """Set aside an event that the master will never take, so that it holds up nothing."""
    aside = Path(folder) / "refused"
    with contextlib.suppress(FileExistsError):
        aside.mkdir(mode=0o700)
    found = aside.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        # another user who may write here made it, to lead us elsewhere
        acknowledge([path])
        return
    with contextlib.suppress(FileNotFoundError):
        Path(path).replace(aside / Path(path).name)
    for old in sorted(aside.iterdir(), key=lambda kept: kept.lstat().st_mtime_ns)[:-KEPT_REFUSED]:
        acknowledge([old])


@contextlib.contextmanager
def only_sender(folder=FOLDER):
    """True for the one who may send now, False for others meanwhile."""
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(folder) / ".lock"
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_uid != os.geteuid():
            path.unlink()  # another user's lock would keep us from sending
    with locks.attempt(path, os.O_NOFOLLOW) as mine:
        yield mine


def _read(path):
    """An event from its file and its size; what is no event becomes one that tells it."""
    try:
        content = _content(path)
        event = json.loads(content)
        if not ID.match(str(event["id"])) or not KIND.match(str(event["kind"])) or not isinstance(event["data"], dict):
            raise ValueError("no event")
        return {name: event.get(name) for name in ("id", "kind", "time", "data")}, len(content)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        told = {"file": path.name[:100], "why": str(err)[:200]}
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.name)[:80]
        return {"id": f"unreadable-{name}", "kind": "spool/unreadable", "time": now(), "data": told}, 200


def _content(path):
    """A regular file's bytes; never waits, never follows a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    return content
