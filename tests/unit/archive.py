"""An archive made of memory, and a member's settings: what the tests of archiving share."""

from datetime import UTC, datetime

from saltroni.backup import local, wal
from saltroni.backup.failure import Failure
from saltroni.backup.tools import FULL, Backup

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SYSTEM = 77
DESCENT2 = wal.line(2, "1\t0/A00000\tx\n")


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

    def claim(self, whose, data_dir=None):
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


def put(told, number, timeline=1, **more):
    path = told.wal / wal.name(timeline, number, 2**20)
    path.write_bytes(segment(number, timeline, **more))
    return path


def here(timeline=2, in_recovery=False, descent=DESCENT2):
    return lambda told: local.Where(in_recovery, timeline, 12 * 2**20, tuple(descent))
