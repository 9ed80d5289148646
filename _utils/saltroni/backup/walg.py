"""WAL-G. Everything that is particular to it is here.

What it doesn't guard is guarded here: it overwrites an archived segment unless told not to, calls a 3000-byte file a
segment, waits for ever with its default number of retries, takes an abandoned timeline's backup for the base of a delta
and for one that retention counts, and ends ``wal-verify`` with 0 whatever it found.
"""

import json
import re
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from saltroni.backup import files, local, run, wal, window
from saltroni.backup.failure import Failure
from saltroni.backup.tools import DELTA, FULL, Backup, reads, unsaid

#: The exit code of ``wal-fetch`` for a file that isn't there (its ``ExIoError``); everything else is a failure.
MISSING = 74
OWNER = "owner.json"
WAL_FOLDER = "wal_005"
BACKUP_FOLDER = "basebackups_005"
#: More deltas on one another than any schedule makes: how many there may be is decided by the age of the full one.
MAX_STEPS = "1000"
#: Tries of one request: few where somebody waits, more where hours of work would be lost.
FEW, MANY = "3", "10"
#: How often a part of a base backup that couldn't be unpacked is fetched once more. It waits one minute, two, then four and
#: five: with its own 15 a damaged part would take an hour to be told.
AGAIN = "2"

#: How a storage that is full may refuse.
_REFUSED = re.compile(r"SignatureDoesNotMatch|InternalError|status code: 500")
_STORED = re.compile(
    r"^obj +(?P<size>\d+) +(?P<day>\d{4}-\d\d-\d\d) (?P<hour>\d\d:\d\d:\d\d)\S* (?P<zone>[+-]\d{4}) \S+ +"
    r"(?P<name>[0-9A-F]{24}(?:\.partial)?|[0-9A-F]{8}\.history)(?:\.(?:zst|lz4|lzma|br|none))?(?:\s.*)?$"
)


class Walg:
    """See :class:`saltroni.backup.tools.Tool`.

    Args:
        settings: a :class:`saltroni.backup.settings.Settings`.
    """

    #: A base backup can be made on a replica.
    from_replica = True
    #: So two backups that begin at one checkpoint have one name.
    named_by_checkpoint = True

    def __init__(self, settings):
        self._settings = settings

    def _run(self, arguments, timeout_s, retries=FEW, **environment):
        told = self._settings
        variables = {
            "S3_MAX_RETRIES": retries,
            "PGHOST": told.socket,
            "PGPORT": str(told.port),
            "PGUSER": told.user,
            "PGDATABASE": "postgres",
            # in it WAL-G keeps what it has uploaded; without it that is in /tmp, where anybody may write
            "PGDATA": told.data_dir,
            "WALG_PREVENT_WAL_OVERWRITE": "true",
            "WALG_PG_WAL_SIZE": str(told.segment_bytes // 2**20),
            **environment,
        }
        return run.run([told.walg, *arguments, "--config", told.walg_config], timeout_s, told.user, variables)

    def _do(self, what, arguments, timeout_s, retries=FEW, writes=False, unpacks=False, **environment):
        """Run and return what it wrote to its standard output; ``writes``: into the storage; ``unpacks``: what is there."""
        done = self._run(arguments, timeout_s, retries, **environment)
        if done.code != 0:
            raise self._failure(done, what, writes, unpacks)
        return done.out

    def _failure(self, done, what, writes=False, unpacks=False):
        found = run.failure(done, what, "walg", self._settings.walg_config)
        # a flipped bit makes its decompression fail in words without number ("rle symbol 53 >= max 53")
        if unpacks and found.kind == "other" and reads(self):
            return Failure("corrupt", f"{found.text}; the storage answers")
        # a full SeaweedFS answers 500 to what is written, and the SDK's second try may then have a wrong signature
        return unsaid(self, found) if writes and _REFUSED.search(done.text) else found

    def push_wal(self, path):
        """Archive a file."""
        # no other files beside this one: what WAL-G archives in advance it only remembers in a file, and it believes that
        # file even when the archive is another one
        arguments = ["wal-push", str(path)]
        timeout_s = self._settings.push_timeout_s
        self._do(f"archiving {path.name}", arguments, timeout_s, writes=True, WALG_UPLOAD_CONCURRENCY="1")

    def fetch_wal(self, name, target, prefetch=None):
        """Fetch a file, whole or not at all."""
        target, told = Path(target), self._settings
        # it renames what it has in advance, which can't be done from one file system to another
        if prefetch is not None and not files.same_device(prefetch, target.parent):
            prefetch = None
        # its files in advance are told apart by their names alone, so never is a folder used that another source filled
        environment = {"WALG_PREFETCH_DIR": str(prefetch or told.state / "no-prefetch")}
        if prefetch is None:
            environment["WALG_DOWNLOAD_CONCURRENCY"] = "1"
        with files.arriving(told, name, target) as partial:
            done = self._run(["wal-fetch", name, str(partial)], told.fetch_timeout_s, **environment)
            if done.code == MISSING:
                raise Failure("missing", f"{name} isn't in {told.prefix}")
            if done.code != 0:
                raise self._failure(done, f"fetching {name}", unpacks=True)

    def backup(self, full):
        """Make a base backup of this node's PostgreSQL."""
        told, began = self._settings, time.monotonic()
        here = local.where(told)
        known = self.list()
        arguments = ["backup-push", told.data_dir]
        base = None if full else window.newest(known, here.descent, here.lsn)
        if base is None:
            arguments.append("--full")
        else:
            # never LATEST: that may be of a timeline that was left
            arguments += ["--delta-from-name", base.id]
        self._do("a base backup", arguments, told.backup_timeout_s, MANY, writes=True, WALG_DELTA_MAX_STEPS=MAX_STEPS)
        before = {one.id for one in known}
        made = [one for one in self.list() if one.id not in before and window.belongs(one, here.descent)]
        if not made:
            raise Failure("other", "WAL-G made a base backup, but it isn't in its list")
        return {
            "backup": made[-1].id,
            "kind": made[-1].kind,
            "bytes": made[-1].stored,
            "took_s": round(time.monotonic() - began, 1),
        }

    def list(self):
        """Base backups, the oldest first."""
        out = self._do("the list of backups", ["backup-list", "--json", "--detail"], self._settings.list_timeout_s)
        return backups(out, self._settings.segment_bytes)

    def restore(self, backup_id, folder, wal_folder=None):
        """A base backup into an empty folder."""
        told = self._settings
        self._refuse_tablespaces(backup_id)
        folder = files.empty(folder, told.user)
        arguments = ["backup-fetch", str(folder), backup_id]
        # what it writes file by file to the disk is written at once in the end
        self._do(
            f"restoring {backup_id}", arguments, told.restore_timeout_s, MANY, unpacks=True, WALG_DOWNLOAD_FILE_RETRIES=AGAIN,
            WALG_TAR_DISABLE_FSYNC="true",
        )  # fmt: skip
        files.finish(folder, wal_folder, told.user)
        files.synced(folder, told.restore_timeout_s)

    def _refuse_tablespaces(self, backup_id):
        sentinel = f"{BACKUP_FOLDER}/{backup_id}_backup_stop_sentinel.json"
        out = self._do(f"reading {sentinel}", ["st", "cat", sentinel], self._settings.list_timeout_s)
        if tablespaces(out):
            raise Failure("other", f"{backup_id} has tablespaces, which aren't restored")

    def verify(self):
        """Gaps of the archive, by WAL-G's word and by our own look."""
        arguments = ["wal-verify", "integrity", "timeline", "--json"]
        out = self._do("verifying the archive", arguments, self._settings.verify_timeout_s)
        # WAL-G takes a new leader's timeline for the old one until its first checkpoint
        here = local.where(self._settings)
        found = verified(out, here.timeline)
        lost = [row for row in found if row["status"].startswith("MISSING")]
        # where a segment saw two timelines end, WAL-G looks for the one before it on the wrong timeline
        wrong = [row for row in lost if not passes(here.descent, row, self._settings.segment_bytes)]
        found = [row for row in found if row not in wrong]
        return found if len(lost) > len(wrong) else found + window.missing(self._settings, self)

    def segments(self):
        """Names of archived files, each with the time when it was stored."""
        return stored(self._do("the list of WAL", ["st", "ls", f"{WAL_FOLDER}/"], self._settings.list_timeout_s))

    def history(self, timeline):
        """Text of a history file."""
        with tempfile.TemporaryDirectory(prefix="saltroni-") as made:
            files.given(made, self._settings.user)
            target = Path(made) / wal.history_name(timeline)
            self.fetch_wal(target.name, target)
            return target.read_text(encoding="utf-8")

    def expire(self, keep_full, keep_days):
        """Remove what retention doesn't keep."""
        told, known = self._settings, self.list()
        plan = window.retention(known, local.where(told).descent, keep_full, keep_days, datetime.now(UTC))
        if plan.oldest is not None:
            # WAL-G's own "retain" would count backups of timelines that were left
            self._do("expiring", ["delete", "before", plan.oldest.id, "--confirm"], told.verify_timeout_s, MANY)
        for one in plan.abandoned:
            if any(other.id == one.id for other in self.list()):
                self._do("expiring", ["delete", "target", one.id, "--confirm"], told.verify_timeout_s, MANY)
        left = {one.id for one in self.list()}
        return [one.id for one in known if one.id not in left]

    def probe(self):
        """List, write and read."""
        timeout_s = self._settings.list_timeout_s
        self._do("listing", ["st", "check", "read"], timeout_s)
        self._do("writing", ["st", "check", "write"], timeout_s, writes=True)

    def takes(self):
        """Whether a small file can be written now."""
        return self._run(["st", "check", "write"], self._settings.list_timeout_s).code == 0

    def owner(self):
        """Whose the archive is."""
        done = self._run(["st", "ls"], self._settings.list_timeout_s)
        if done.code != 0:
            raise self._failure(done, "asking whose the archive is")
        if not re.search(rf"^obj .* {re.escape(OWNER)} *$", done.out, re.MULTILINE):
            return None
        out = self._do("asking whose the archive is", ["st", "cat", OWNER], self._settings.list_timeout_s)
        try:
            return dict(json.loads(out))
        except ValueError as err:
            raise Failure("corrupt", f"{OWNER} in {self._settings.prefix} can't be read: {err}") from err

    def claim(self, owner, data_dir=None):
        """Write down whose it is; refused by WAL-G where something is written already. It needs no data directory for that."""
        with tempfile.TemporaryDirectory(prefix="saltroni-") as made:
            source = Path(made) / OWNER
            source.write_text(json.dumps(owner) + "\n", encoding="utf-8")
            source.chmod(0o644)
            files.given(made, self._settings.user)
            arguments = ["st", "put", str(source), OWNER, "--no-compress", "--no-encrypt"]
            self._do("writing whose the archive is", arguments, self._settings.list_timeout_s, writes=True)


def backups(out, segment_bytes=wal.SEGMENT_BYTES):
    """The list that ``backup-list --json --detail`` gives. Pure.

    Raises:
        Failure: it isn't what was expected.
    """
    try:
        rows = json.loads(out) if out.strip() else []
        made = [_backup(row, segment_bytes) for row in rows or []]
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Failure("other", f"WAL-G's list of backups isn't understood: {err!r}") from err
    made.sort(key=lambda one: (one.finished, one.id))
    return [_based(one, made) for one in made]


def _backup(row, segment_bytes):
    timeline = int(re.match(r"base_([0-9A-F]{8})", row["backup_name"])[1], 16)
    start = int(row["start_lsn"])
    return Backup(
        id=row["backup_name"],
        kind=DELTA if "_D_" in row["backup_name"] else FULL,
        base=None,
        started=moment(row["start_time"]),
        finished=moment(row["finish_time"]),
        start_lsn=start,
        finish_lsn=int(row["finish_lsn"]),
        start_segment=wal.segment_of(timeline, start, segment_bytes),
        timeline=timeline,
        size=row.get("uncompressed_size"),
        stored=row.get("compressed_size"),
        system_id=int(row["system_identifier"]) if row.get("system_identifier") else None,
        permanent=bool(row.get("is_permanent")),
    )


def _based(one, made):
    """``one`` with the id of what it rests upon: its name holds only where that one begins."""
    if one.kind == FULL:
        return one
    begins = f"base_{one.id.split('_D_')[1]}"
    older = [other for other in made if other.id.split("_D_")[0] == begins and other.started < one.started]
    return Backup(**{**vars(one), "base": older[-1].id if older else begins})


def moment(text):
    """A time of WAL-G's, with time zone. Pure."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def stored(out):
    """Names of archived files in what ``st ls`` gives, each with its time. Pure.

    A file that was being written when its writer was killed has a longer name, and isn't among them.
    """
    found = {}
    for line in out.splitlines():
        match = _STORED.match(line)
        if match:
            found[match["name"]] = datetime.fromisoformat(f"{match['day']}T{match['hour']}{match['zone']}")
    return found


def verified(out, current=None):
    """What ``wal-verify --json`` found, whatever its exit code. Pure.

    Args:
        out: its output.
        current: the present timeline, if it is known better than WAL-G knows it.

    Raises:
        Failure: it isn't what was expected.
    """
    try:
        told = json.loads(out)
        integrity, timeline = told["integrity"], told["timeline"]
        found = [
            {
                "timeline": row["timeline_id"],
                "start": row["start_segment"],
                "end": row["end_segment"],
                "status": row["status"],
            }
            for row in integrity["details"] or []
            # the newest ones may be on their way
            if row["status"] not in ("FOUND", "MISSING_UPLOADING")
        ]
        highest = timeline["details"]["highest_storage_timeline_id"]
        if timeline["status"] == "FAILURE" and (current is None or highest > current):
            found.append({"timeline": highest, "start": "", "end": "", "status": "TIMELINE_AHEAD"})
        if integrity["status"] == "FAILURE" and not found:
            raise Failure("other", "wal-verify says FAILURE but not why")
    except (ValueError, KeyError, TypeError) as err:
        raise Failure("other", f"what wal-verify says isn't understood: {err!r}") from err
    return found


def passes(descent, row, segment_bytes=wal.SEGMENT_BYTES):
    """Whether a descent (:func:`saltroni.backup.wal.line`) passes a segment of a row of :func:`verified`. Pure."""
    first, last = (wal.number(row[end], segment_bytes) for end in ("start", "end"))
    return any(
        timeline == row["timeline"]
        and begin // segment_bytes <= last
        and (end is None or first <= wal.last_number(end, segment_bytes))
        for timeline, begin, end in descent
    )


def tablespaces(sentinel):
    """Whether a backup's sentinel tells of tablespaces. Pure."""
    try:
        spec = json.loads(sentinel).get("Spec") or {}
    except (ValueError, AttributeError) as err:
        raise Failure("corrupt", f"a backup's description can't be read: {err}") from err
    return bool(spec.get("tablespaces"))
