"""An archive belongs to one cluster.

Nothing in WAL-G hinders two clusters that share a prefix: each overwrites the other's backups, and both are told that all
is well. And an archive on a file system that isn't mounted looks like an empty one: what is pushed goes to the wrong disk,
and a segment that isn't found looks like the end of the log. So the archive says whose it is, and this node remembers that
it did.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from saltroni.backup import files, local, remembered, wal
from saltroni.backup.failure import Failure

#: How long an answer is good (seconds).
GOOD_S = 60


def _file(settings):
    return settings.state / "owner.json"


def check(settings, tool, now=time.time):
    """Refuse an archive that isn't this cluster's; claim one that is nobody's.

    Args:
        settings: this node's.
        tool: its :class:`saltroni.backup.tools.Tool`.

    Raises:
        Failure: ``foreign``: another cluster's; ``gone``: it has lost what it had; or whatever hinders the question.
    """
    system = local.system_id(settings.data_dir)
    known = _known(settings, system)
    if 0 <= now() - known.get("checked_unix", 0) < GOOD_S:
        return
    found = tool.owner()
    if found is None:
        _refuse_lost(settings, known)
        _refuse_unmounted(settings)
        _refuse_anothers(settings, tool, system)
        claim = {
            "system_identifier": str(system),
            "cluster": settings.cluster,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        tool.claim(claim)
        found = tool.owner() or {}
    _compare(settings, system, found)
    _remember(settings, system, now())


def present(settings, tool):
    """Refuse to believe that a file is missing from an archive that isn't there at all, or is another's.

    WAL-G takes a bucket that doesn't exist, and a file system that isn't mounted, for a file that is missing. Unlike
    :func:`check` this doesn't ask which database this node has: a node that is being restored has none. And it is asked
    anew each time: files that are missing are few.

    Raises:
        Failure: ``gone``, ``foreign``, or whatever hinders the question.
    """
    found = tool.owner()
    if found is None:
        raise Failure("gone", f"{settings.prefix} doesn't say whose it is, so nothing can be said to be missing there")
    if found.get("cluster") != settings.cluster:
        raise Failure("foreign", _whose(settings, found))


def ours(settings, tool, now=time.time):
    """Refuse to give a member another database's log.

    A cluster that was founded anew beside its old archive (all is lost but the bucket) would find the old timelines there, take
    them for its own future, and none of its replicas would start: ``requested timeline is not a child of this server's
    history``.

    Raises:
        Failure: ``foreign``, or whatever hinders the question.
    """
    try:
        system = local.system_id(settings.data_dir)
    except Failure:
        return  # it has no data yet
    if 0 <= now() - _known(settings, system).get("checked_unix", 0) < GOOD_S:
        return
    found = tool.owner()
    if found is not None:
        _compare(settings, system, found)
        _remember(settings, system, now())


def _known(settings, system):
    known = remembered.read(_file(settings))
    return known if (known.get("prefix"), known.get("system_identifier")) == (settings.prefix, str(system)) else {}


def _remember(settings, system, now):
    content = {"prefix": settings.prefix, "system_identifier": str(system), "checked_unix": now}
    try:
        remembered.write(_file(settings), content)
    except OSError as err:
        # a full disk is the last reason to stop archiving: it is asked anew next time
        print(f"saltroni: {_file(settings)} can't be written: {err}", file=sys.stderr)


def _whose(settings, found):
    since = f" since {found['since']}" if found.get("since") else ""
    return (
        f"{settings.prefix} belongs to cluster {found.get('cluster')}, system identifier "
        f"{found.get('system_identifier')}{since}"
    )


def _compare(settings, system, found):
    if str(found.get("system_identifier")) != str(system):
        raise Failure("foreign", f"{_whose(settings, found)}; this database is {system} of cluster {settings.cluster}")


def _refuse_lost(settings, known):
    if known:
        raise Failure(
            "gone",
            f"{settings.prefix} was this cluster's and doesn't say so any more; if it was emptied on purpose, remove "
            f"{_file(settings)}",
        )


def _refuse_unmounted(settings):
    """A folder for backups is on a file system of its own; where that isn't mounted, this node's own disk would be filled."""
    folder = settings.prefix.removeprefix("file://")
    if folder != settings.prefix and files.mount_of(folder) == "/":
        raise Failure("gone", f"nothing is mounted at {folder} or above, so it isn't taken for a new archive")


def _refuse_anothers(settings, tool, system):
    """An archive that nobody claimed may still be somebody's: its backups and its log say of which database."""
    for one in tool.list():
        if one.system_id not in (None, system):
            raise Failure(
                "foreign", f"{settings.prefix} has {one.id} of database {one.system_id}, this one is {system}"
            )
    segments = sorted(name for name in tool.segments() if wal.kind(name) == wal.SEGMENT)
    if not segments:
        return
    with tempfile.TemporaryDirectory(prefix="saltroni-") as made:
        files.given(made, settings.user)
        target = Path(made) / segments[-1]
        tool.fetch_wal(target.name, target)
        wrong = wal.check_file(target, target.name, settings.segment_bytes, system)
    if wrong:
        raise Failure("foreign", f"{settings.prefix} has {target.name}: {wrong}")
