"""Events on disk: JSON lines, one file a month, only ever appended to.

An event is durable when :meth:`Store.append` returns. What a crash left half written is set aside in ``torn.txt`` by
the next writer; a line that can't be read is skipped and counted, never removed.
"""

import contextlib
import fcntl
import functools
import json
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from saltroni import durable
from saltroni.report import index

NEEDED = {"id", "time", "cluster", "node", "kind", "data"}


class StoreError(RuntimeError):
    """The store can't be used; the text says which file, why, and what to do."""


@dataclass
class Log:
    """What the store holds."""

    events: list = field(default_factory=list)  # in the order of their times
    unreadable: list = field(default_factory=list)  # (file, line number)
    torn: int = 0  # half lines set aside


@functools.cache
def opened(folder):
    """The :class:`Store` of ``folder``, the same one for all threads of this process."""
    return Store(folder)


class Store:
    """One cluster's events. Threads may share it, processes may each have one.

    Args:
        folder: the events' folder; it is made.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._thread = threading.Lock()

    def append(self, events, now=None):
        """Make events durable, each id once.

        Args:
            events: events, see :mod:`saltroni.report.events`.
            now: the time that chooses the file.

        Returns:
            those that were new.

        Raises:
            StoreError: nothing was recorded.
        """
        path = self.folder / f"{(now or datetime.now(UTC)):%Y-%m}.jsonl"
        try:
            with self._thread, self._locked(fcntl.LOCK_EX):
                for file in {*self._files()[-1:], path}:
                    self._mend(file)
                with index.opened(self.folder) as known:
                    for file in self._files():
                        known.learn(file, _identities)
                    there = known.has({event["id"] for event in events})
                    fresh = {event["id"]: event for event in events if event["id"] not in there}
                    if fresh:
                        end = self._write(path, list(fresh.values()))
                        known.add(path, end, fresh)
        except OSError as err:
            raise StoreError(
                f"events can't be written to {path}: {err}. Make room or give root the right to write there; "
                "the events are lost unless their senders repeat them."
            ) from err
        return list(fresh.values())

    def read(self, reduce=None):
        """Everything, as a :class:`Log`.

        Args:
            reduce: function that gives each event as it is to be kept in memory.

        Raises:
            StoreError
        """
        log = Log()
        if not self.folder.exists():
            return log
        try:
            # what stands before a file's last end of line never changes: it is read while others append
            with self._locked(fcntl.LOCK_SH):
                ends = [(path, *_whole(path)) for path in self._files()]
                torn = self.folder / "torn.txt"
                log.torn = torn.read_bytes().count(b"\n") if torn.exists() else 0
            seen = set()
            for path, end, half in ends:
                log.torn += half  # the next writer will set it aside
                _read(path, end, log, seen, reduce)
        except OSError as err:
            raise StoreError(
                f"events can't be read from {self.folder}: {err}. Run this as root on the master."
            ) from err
        log.events.sort(key=lambda event: (event["time"], event["id"]))
        return log

    def _files(self):
        return sorted(self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    @contextlib.contextmanager
    def _locked(self, how):
        if how == fcntl.LOCK_EX:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)

    def _mend(self, path):
        """Set aside what a crash left at the end of the file. Lock held."""
        if not path.exists():
            return
        with path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            start = _after_last_newline(file, end)
            if start == end:
                return
            file.seek(start)
            with _private(self.folder / "torn.txt") as aside:
                aside.write(json.dumps({"file": path.name, "at": start, "bytes": repr(file.read()[:10000])}) + "\n")
                aside.flush()
                os.fsync(aside.fileno())
            file.truncate(start)
            os.fsync(file.fileno())

    def _write(self, path, events):
        lines = [json.dumps(event, separators=(",", ":"), allow_nan=False) + "\n" for event in events]
        block = "".join(lines).encode()
        new = not path.exists()
        with _private(path) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                file.write(block.decode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise
        if new:
            durable.sync(self.folder)
        return before + len(block)


def _whole(path):
    """Where the last whole line of a file ends, and whether something half follows."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        end = _after_last_newline(file, size)
    return end, end < size


def _read(path, end, log, seen, reduce):
    """Take in the lines of a file up to the byte ``end``."""
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            place += len(line)
            if place > end:
                break
            event = _event(line)
            if event is None:
                log.unreadable.append((path.name, number))
            elif event["id"] not in seen:
                seen.add(event["id"])
                log.events.append(reduce(event) if reduce else event)


def _parsed(line):
    try:
        return orjson.loads(line)
    except ValueError:
        pass
    try:
        return json.loads(line.decode())  # it also takes half of a surrogate pair, which a node may have sent
    except ValueError:
        return None


def _event(line):
    event = _parsed(line)
    if not isinstance(event, dict) or not event.keys() >= NEEDED:
        return None
    return event if isinstance(event["data"], dict) and isinstance(event["id"], str) else None


def _identities(path, begin):
    """Ids of the events in ``path`` from the byte ``begin`` on."""
    with path.open("rb") as file:
        file.seek(begin)
        for line in file:
            event = _event(line)
            if event:
                yield event["id"]


def _after_last_newline(file, end):
    """Where the last line begins, read from the end in steps."""
    step = 65536
    while end > 0:
        start = max(0, end - step)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _private(path):
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "a", encoding="ascii")
