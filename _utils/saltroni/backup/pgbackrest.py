"""pgBackRest. Everything that is particular to it is here.

It guards more by itself than WAL-G does: another database's log is refused, a missing segment has a code of its own. But
its ``verify`` ends with 0 whatever it found and says nothing of gaps between segments, a file that it could not decrypt is
left behind empty, a push in the background needs PostgreSQL's own mark beside the segment, and it makes no backup unless
its name is in ``archive_command``, be it as a comment (``archive %p # pgbackrest``). What it pushed in the background it
only remembers in ``spool-path``, and believes that: two data directories must never share one.

Source: pgBackRest's documentation, *Command Reference*; its exit codes: ``src/build/error/error.yaml``.
"""

import functools
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from saltroni.backup import files, local, run, wal, window
from saltroni.backup.failure import Failure
from saltroni.backup.inherited import STATUS
from saltroni.backup.tools import DELTA, FULL, Backup, unsaid

#: The exit code of ``archive-get`` for a file that isn't there; everything else but 0 is a failure.
MISSING = 1
#: That of ``repo-get``.
ABSENT = 55
#: How a storage that is full may refuse.
_REFUSED = re.compile(r"\[500\]|failed with 500|InternalError")
PROBE = "saltroni.probe"
#: How long one exchange may take where the question is whether the storage answers. pgBackRest tries for nine times as long
#: before it says that nobody does (measured: 19 s with 2), and must be done within ``list_timeout_s``.
ANSWERS = "--io-timeout=4"
_ARCHIVED = re.compile(
    r"(?:^|/)(?P<name>[0-9A-F]{24}(?:\.partial)?)-[0-9a-f]{40}(?:\.\w+)?$|(?:^|/)(?P<history>[0-9A-F]{8}\.history)$"
)
_BACKUP_LINE = re.compile(r"backup: (?P<id>[\w-]+), status: (?P<status>[\w ]+)")
_WAL_LINE = re.compile(
    r"archiveId: (?P<id>[\w-]+), total WAL checked: (?P<checked>\d+), total valid WAL: (?P<valid>\d+)"
)


class PgBackRest:
    """See :class:`saltroni.backup.tools.Tool`.

    Args:
        settings: a :class:`saltroni.backup.settings.Settings`.
    """

    def __init__(self, settings):
        self._settings = settings

    @property
    def from_replica(self):
        """A base backup can be made on a replica if its settings name other members, whose servers it asks."""
        try:
            told = Path(self._settings.pgbackrest_config).read_text(encoding="utf-8")
        except OSError:
            return False
        return re.search(r"^pg[2-9]-(host|path) *=", told, re.MULTILINE) is not None

    def _run(self, command, words, timeout_s, config=None):
        told = self._settings
        options = [
            f"--config={config or told.pgbackrest_config}",
            f"--stanza={told.cluster}",
            "--log-level-console=warn",
        ]
        return run.run([told.pgbackrest, command, *options, *words], timeout_s, told.user)

    def _do(self, what, command, words, timeout_s, writes=False, config=None):
        """Run and return what it wrote to its standard output; ``writes``: into the storage."""
        done = self._run(command, words, timeout_s, config)
        if done.code != 0:
            raise self._failure(done, what, writes)
        return done.out

    def _failure(self, done, what, writes=False):
        found = run.failure(done, what, "pgbackrest", self._settings.pgbackrest_config)
        # a full SeaweedFS answers 500 to what is written
        if writes and _REFUSED.search(done.text):
            return unsaid(self, found)
        return self._asked_why(found) if writes and found.kind == "timeout" else found

    def _asked_why(self, found):
        """A push in the background only says that it took too long: whether the storage can be read says more."""
        try:
            self._answers()
        except Failure as err:
            return found if err.kind == "timeout" else Failure(err.kind, f"{found.text}; {err.text}")
        return found

    def _answers(self):
        self._do("listing", "repo-ls", [ANSWERS, "--output=json"], self._settings.list_timeout_s)

    def _whose(self, path):
        """The option that names the data directory of a file of the log: pgBackRest compares its control file.

        Restored data that aren't in place yet are of another database than the one that gives way to them.
        """
        return f"--pg1-path={_data_dir(Path(path).absolute()) or self._settings.data_dir}"

    def push_wal(self, path):
        """Archive a file."""
        told = self._settings
        # its own deadline ends before ours, so that it says why
        words = [f"--archive-timeout={max(1, int(told.push_timeout_s) - 5)}", self._whose(path), str(path)]
        if not (path.parent / STATUS / f"{path.name}.ready").exists():
            words.insert(0, "--no-archive-async")
        self._do(f"archiving {path.name}", "archive-push", words, told.push_timeout_s, writes=True)

    def fetch_wal(self, name, target, prefetch=None):
        """Fetch a file, whole or not at all; never in advance."""
        target, told = Path(target), self._settings
        with files.arriving(told, name, target) as partial:
            words = ["--no-archive-async", self._whose(target), name, str(partial)]
            done = self._run("archive-get", words, told.fetch_timeout_s)
            if done.code == MISSING:
                raise Failure("missing", f"{name} isn't in {told.prefix}")
            if done.code != 0:
                raise self._failure(done, f"fetching {name}")

    def backup(self, full):
        """Make a base backup of this node's PostgreSQL; on a replica the leader's server is asked to begin and to end it."""
        told, began = self._settings, time.monotonic()
        here = local.where(told)
        # where nothing can be written it would wait for the log before it, and end as "it took too long"
        self.probe()
        known = self.list()
        if not here.in_recovery:
            # it refuses a leader whose control file still tells of the timeline before
            local.ask(told, "CHECKPOINT", told.list_timeout_s)
        # a differential one rests upon the latest full one, which may be of a timeline that was left
        latest = next((one for one in reversed(known) if one.kind == FULL), None)
        full = full or latest is None or not window.belongs(latest, here.descent)
        words = [
            f"--type={'full' if full else 'diff'}",
            "--no-expire-auto",
            "--backup-standby" if here.in_recovery else "--no-backup-standby",
            f"--archive-timeout={told.archived_timeout_s:g}",
        ]
        # its warning that nothing is kept for ever is none: expiring is done by expire()
        words.append("--repo1-retention-full=9999999")
        self._do("a base backup", "backup", words, told.backup_timeout_s, writes=True, config=self._narrowed(here))
        before = {one.id for one in known}
        made = [one for one in self.list() if one.id not in before]
        if not made:
            raise Failure("other", "pgBackRest made a base backup, but it isn't in its list")
        return {
            "backup": made[-1].id,
            "kind": made[-1].kind,
            "bytes": made[-1].stored,
            "took_s": round(time.monotonic() - began, 1),
        }

    def _narrowed(self, here):
        """Its settings with no other member than the leader: one that is down would be waited for three times (measured: 91 s)."""
        told = self._settings
        leader = local.leaders_address(told) if here.in_recovery else None
        kept = {name for name, member in told.members.items() if leader in (name, member.get("address"))}
        if here.in_recovery and not kept:
            return None  # whom it follows isn't known: all are asked
        path = told.state / "pgbackrest.conf"
        files.private(path, without_hosts(Path(told.pgbackrest_config).read_text(encoding="utf-8"), kept), told.user)
        return path

    def _info(self, *words):
        return self._do("asking for its list", "info", [*words, "--output=json"], self._settings.list_timeout_s)

    @functools.cached_property
    def _archives(self):
        return archives(self._info())

    def list(self):
        """Base backups, the oldest first."""
        return backups(self._info(), self._settings.segment_bytes)

    def restore(self, backup_id, folder, wal_folder=None):
        """A base backup into an empty folder."""
        told = self._settings
        if tablespaces(self._info(f"--set={backup_id}")):
            raise Failure("other", f"{backup_id} has tablespaces, which aren't restored")
        folder = files.empty(folder, told.user)
        words = [f"--set={backup_id}", "--type=none", f"--pg1-path={folder}"]
        self._do(f"restoring {backup_id}", "restore", words, told.restore_timeout_s)
        files.finish(folder, wal_folder, told.user)

    def verify(self):
        """Gaps of the archive, and files that are damaged."""
        told = self._settings
        done = self._run("verify", ["--output=text"], told.verify_timeout_s)
        found = verified(done.out)
        if done.code != 0:
            # what it can't decrypt ends it
            failed = self._failure(done, "verifying the archive")
            if failed.kind != "corrupt":
                raise failed
            found.append({"timeline": None, "start": "", "end": "", "status": f"DAMAGED: {failed.text}"})
        return found + window.missing(told, self)

    def segments(self):
        """Names of archived files, each with the time when it was stored."""
        told = self._settings
        words = [f"archive/{told.cluster}", "--recurse", "--output=json"]
        return stored(self._do("the list of WAL", "repo-ls", words, told.list_timeout_s))

    def history(self, timeline):
        """Text of a history file, read as a file of the storage.

        ``archive-get`` would refuse on a node whose own database is another one, as a new cluster's is before the old one
        is restored into it.
        """
        told, name = self._settings, wal.history_name(timeline)
        for one in reversed(self._archives):
            done = self._run("repo-get", [f"archive/{told.cluster}/{one}/{name}"], told.fetch_timeout_s)
            if done.code == 0:
                return files.history(name, done.out)
            if done.code != ABSENT:
                raise self._failure(done, f"reading {name}")
        raise Failure("missing", f"{name} isn't in {told.prefix}")

    def expire(self, keep_full, keep_days):
        """Remove what retention doesn't keep."""
        told, known = self._settings, self.list()
        plan = window.retention(known, local.where(told).descent, keep_full, keep_days, datetime.now(UTC))
        for one in plan.abandoned:
            if one.kind == FULL and sum(other.kind == FULL for other in self.list()) > 1:
                self._do("expiring", "expire", [f"--set={one.id}"], told.verify_timeout_s)
        if plan.oldest is not None:
            kept = [one for one in self.list() if one.kind == FULL and one.finished >= plan.oldest.finished]
            words = ["--repo1-retention-full-type=count", f"--repo1-retention-full={len(kept)}"]
            self._do("expiring", "expire", words, told.verify_timeout_s)
        left = {one.id for one in self.list()}
        return [one.id for one in known if one.id not in left]

    def probe(self):
        """List, write and read."""
        timeout_s = self._settings.list_timeout_s
        self._answers()
        self._info()
        self._do("writing", "repo-put", [ANSWERS, PROBE], timeout_s, writes=True)
        self._do("removing", "repo-rm", [ANSWERS, PROBE], timeout_s)

    def takes(self):
        """Whether a small file can be written now."""
        return self._run("repo-put", [ANSWERS, PROBE], self._settings.list_timeout_s).code == 0

    def owner(self):
        """Whose the archive is: pgBackRest keeps that itself."""
        return owned(self._info(), self._settings.cluster)

    def claim(self, owner, data_dir=None):
        """Make the stanza. Whose it is pgBackRest reads from a control file: restored data aren't in place yet."""
        words = ["--no-online", f"--pg1-path={data_dir or self._settings.data_dir}"]
        self._do("making the stanza", "stanza-create", words, self._settings.list_timeout_s, writes=True)


def _data_dir(target):
    """The data directory that a file is of; None if it isn't in one."""
    for folder in (target.parent, target.parent.parent):
        if (folder / "global" / "pg_control").exists():
            return folder
    return None


def without_hosts(text, kept):
    """pgBackRest's settings without the members that aren't ``kept``. Pure."""
    hosts = re.findall(r"(?m)^(pg\d+)-host *= *(\S+)", text)
    gone = [f"{index}-" for index, host in hosts if host not in kept]
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(tuple(gone)))


def _stanza(out):
    """The stanza in what ``info --output=json`` gives."""
    try:
        told = json.loads(out)
        return told[0] if told else {"backup": [], "db": []}
    except (ValueError, KeyError, TypeError) as err:
        raise Failure("other", f"pgBackRest's list isn't understood: {err!r}") from err


def _refuse_unread(stanza):
    """``info`` ends with 0 and an empty list where the repository can't be read.

    Raises:
        Failure: by its words.
    """
    code = (stanza.get("status") or {}).get("code", 1)
    # 0 ok, 1 no stanza, 2 no backup, 3 no data of the stanza; else the repository itself fails
    if code not in (0, 1, 2, 3):
        said = "; ".join(str(repo["status"].get("message")) for repo in stanza.get("repo", []) if repo.get("status"))
        raise Failure(run.classify(said, None, "pgbackrest"), f"asking for its list: {run.short(said)}")


def archives(said):
    """Ids of a stanza's archives, the oldest first, as in ``17-1``, from the output of ``info``. Pure."""
    return [one["id"] for stanza in json.loads(said) for one in stanza.get("archive", [])]


def backups(out, segment_bytes=wal.SEGMENT_BYTES):
    """Backups in what ``info --output=json`` gives. Pure.

    Raises:
        Failure: it isn't what was expected.
    """
    stanza = _stanza(out)
    _refuse_unread(stanza)
    try:
        systems = {(row["repo-key"], row["id"]): int(row["system-id"]) for row in stanza["db"]}
        made = [_backup(row, systems, segment_bytes) for row in stanza["backup"]]
    except (ValueError, KeyError, TypeError) as err:
        raise Failure("other", f"pgBackRest's list isn't understood: {err!r}") from err
    return sorted(made, key=lambda one: (one.finished, one.id))


def _backup(row, systems, segment_bytes):
    timeline, start = wal.timeline(row["archive"]["start"]), wal.position(row["lsn"]["start"])
    database = row["database"]
    repository = row["info"]["repository"]
    return Backup(
        id=row["label"],
        kind=FULL if row["type"] == "full" else DELTA,
        base=row.get("prior"),
        started=datetime.fromtimestamp(row["timestamp"]["start"], UTC),
        # whole seconds, cut off: it surely had ended one later
        finished=datetime.fromtimestamp(row["timestamp"]["stop"] + 1, UTC),
        start_lsn=start,
        finish_lsn=wal.position(row["lsn"]["stop"]),
        start_segment=wal.segment_of(timeline, start, segment_bytes),
        timeline=timeline,
        size=row["info"].get("size"),
        stored=repository.get("delta", repository.get("size")),
        system_id=systems.get((database["repo-key"], database["id"])),
    )


def owned(out, cluster):
    """Whose the archive is, in what ``info --output=json`` gives. Pure.

    Raises:
        Failure: the repository can't be asked.
    """
    stanza = _stanza(out)
    _refuse_unread(stanza)
    if not stanza.get("db"):
        return None
    return {"system_identifier": str(stanza["db"][-1]["system-id"]), "cluster": cluster, "since": None}


def tablespaces(out):
    """Whether ``info --set --output=json`` tells of tablespaces. Pure."""
    return any(row.get("tablespace") for row in _stanza(out)["backup"])


def stored(out):
    """Names of archived files in what ``repo-ls --recurse --output=json`` gives, each with its time. Pure."""
    found = {}
    try:
        for path, row in json.loads(out or "{}").items():
            match = _ARCHIVED.search(path)
            if match and row.get("type") == "file":
                found[match["name"] or match["history"]] = datetime.fromtimestamp(row["time"], UTC)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Failure("other", f"pgBackRest's list of files isn't understood: {err!r}") from err
    return found


def verified(out):
    """What ``verify --output=text`` found, whatever its exit code. Pure."""
    found = []
    for match in _WAL_LINE.finditer(out):
        bad = int(match["checked"]) - int(match["valid"])
        if bad:
            found.append(
                {"timeline": None, "start": "", "end": "", "status": f"DAMAGED: {bad} segments of {match['id']}"}
            )
    for match in _BACKUP_LINE.finditer(out):
        if match["status"] != "valid":
            status = f"DAMAGED: backup {match['id']} is {match['status']}"
            found.append({"timeline": None, "start": "", "end": "", "status": status})
    if re.search(r"^status: error", out, re.MULTILINE) and not found:
        why = "; ".join(re.findall(r"No usable \S+ file", out)) or "pgBackRest says error but not why"
        found.append({"timeline": None, "start": "", "end": "", "status": f"DAMAGED: {why}"})
    return found
