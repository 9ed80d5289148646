"""``archive_command``: one file of ``pg_wal`` into the archive.

Source: PostgreSQL's documentation, *Continuous Archiving*, "Setting Up WAL Archiving": success is 0 and nothing else, the
same file may come again, another content under the same name must be refused; a code above 125 would end the archiver.
"""

import contextlib
import sys
import time
from pathlib import Path

from saltroni.backup import inherited, owner, remembered, wal
from saltroni.backup.failure import Failure

#: What the archiver is told of a failure: it tries again.
FAILED = 1
#: How long a storage that didn't answer isn't asked (seconds). Before it rewinds a former leader, Patroni calls this for each
#: segment that waits, with no deadline: hundreds of them would keep the member away for an hour.
REST_S = 20


def located(settings, told):
    """The file that ``%p`` means, whoever calls: PostgreSQL from its data directory, Patroni from anywhere.

    Raises:
        Failure: it isn't a file of this member's ``pg_wal``.
    """
    path = Path(told)
    if not path.is_absolute():
        path = Path(settings.data_dir) / path
    if wal.kind(path.name) is None:
        raise Failure("other", f"{told} is no file of the write-ahead log")
    # another data directory on this node, such as a restored one, must never write to this archive
    if path.parent.resolve() != settings.wal.resolve():
        raise Failure("other", f"{told} isn't in {settings.wal}: only this member's own log is archived")
    if not path.is_file():
        raise Failure("other", f"{path} isn't there")
    return path


def push(settings, tool, told, now=time.time):
    """Archive one file.

    Args:
        settings: this node's.
        tool: its :class:`saltroni.backup.tools.Tool`.
        told: PostgreSQL's ``%p``.

    Raises:
        Failure
    """
    name = Path(told).name
    _rest(settings, now())
    try:
        path = located(settings, told)
        if wal.kind(name) in (wal.SEGMENT, wal.PARTIAL):
            wrong = wal.check_file(path, name, settings.segment_bytes)
            if wrong:
                raise Failure("corrupt", f"{path} here is damaged and isn't archived: {wrong}")
        if wal.kind(name) == wal.HISTORY:
            _inherit(settings, tool)
        owner.check(settings, tool, now)
        tool.push_wal(path)
    except OSError as err:
        failed = Failure("other", f"{told} can't be read: {err}")
        _remember_failure(settings, name, failed, now())
        raise failed from err
    except Failure as err:
        _remember_failure(settings, name, err, now())
        raise
    _remember_success(settings, name, now())


def _rest(settings, now):
    """Refuse while a storage that didn't answer isn't asked; this isn't one of its failures."""
    known = last(settings)["failure"] or {}
    since = now - known.get("last_unix", 0)
    if known.get("kind") in ("unreachable", "timeout") and 0 <= since < REST_S:
        raise Failure(
            known["kind"], f"the archive failed {since:.0f} s ago and isn't asked for {REST_S} s: {known['text']}"
        )


def _inherit(settings, tool):
    """A new timeline's history is the first that a new leader archives: the time to look for what the old one couldn't.

    Patroni's callback does it too, but a callback may be missed.
    """
    with contextlib.suppress(Failure):
        inherited.mark(settings, tool)


def _file(settings):
    return settings.state / "archive.json"


def last(settings):
    """``{failure, success}`` of the latest pushes, each None or a dict; see :func:`push`.

    ``failure`` is ``{kind, text, file, since_unix, last_unix, tries}``, and None once a push has succeeded.
    """
    known = remembered.read(_file(settings))
    return {"failure": known.get("failure"), "success": known.get("success")}


def _remember_failure(settings, name, err, now):
    known = last(settings)
    before = known["failure"] or {}
    known["failure"] = {
        "kind": err.kind,
        "text": err.text,
        "file": name,
        "since_unix": before.get("since_unix", now),
        "last_unix": now,
        "tries": before.get("tries", 0) + 1,
    }
    _write(settings, known)


def _remember_success(settings, name, now):
    _write(settings, {"failure": None, "success": {"file": name, "at_unix": now}})


def _write(settings, content):
    try:
        remembered.write(_file(settings), content)
    except OSError as err:
        # what is archived is archived, whether or not it can be written down
        print(f"saltroni: {_file(settings)} can't be written: {err}", file=sys.stderr)
