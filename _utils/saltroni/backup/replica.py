"""A new replica from the archive, for Patroni's ``create_replica_methods``: ``replica.create`` puts a base backup into place.

Patroni then starts it; what is missing it fetches by ``restore_command`` and streams from the leader. If this fails Patroni
takes the next method, ``basebackup``. Source: Patroni's documentation, *Replica imaging and bootstrap*.

A base backup of a timeline that was left is never taken: PostgreSQL would refuse to follow the leader with it.
"""

import json
import shutil
import ssl
import urllib.request
from pathlib import Path

from saltroni.backup import choice, target, window
from saltroni.backup.failure import Failure
from saltroni.backup.recovery import LEFT_OVER


def backup_for(archive, timeline):
    """The newest base backup that a leader on ``timeline`` came through, and from which nothing is missing. Pure.

    Raises:
        Failure: ``missing``: there is none.
    """
    lines = window.descents({timeline}, archive.histories)
    if timeline not in lines:
        raise Failure("missing", f"the archive doesn't know the leader's timeline {timeline} yet")
    asked = target.Target(target.LATEST, timeline=timeline)
    return choice.choose(asked, archive).backup


def create(settings, tool, datadir, waldir="", timeline=None):
    """Put the newest fitting base backup into ``datadir``.

    Args:
        settings: this node's.
        tool: its tool.
        datadir: the data directory; it is empty or not there.
        waldir: where its ``pg_wal`` shall be; in the data directory without it.
        timeline: the leader's, None if it isn't known: then the archive's highest.

    Returns:
        the backup's id.

    Raises:
        Failure: nothing is left in the folders then.
    """
    archive = choice.look(tool, settings.segment_bytes)
    found = backup_for(archive, timeline or archive.highest)
    try:
        tool.restore(found.id, Path(datadir), Path(waldir) if waldir else None)
        for name in LEFT_OVER:
            (Path(datadir) / name).unlink(missing_ok=True)
    except BaseException:
        for place in (datadir, waldir):
            if place:
                emptied(Path(place))
        raise
    return found.id


def emptied(folder):
    """Remove what is in a folder, not the folder."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def ask(settings, timeout_s=5):
    """Patroni's ``/cluster``, from the first member that answers; this node's own Patroni is making the replica.

    Raises:
        Failure: none does.
    """
    failures = []
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.load_cert_chain(settings.certificate, settings.key)
    except OSError as err:
        raise Failure("settings", f"Patroni can't be asked without {settings.certificate}: {err}") from err
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    for name, member in sorted(settings.members.items(), key=lambda one: one[0] == settings.member):
        try:
            with opener.open(
                f"https://{member['address']}:{settings.patroni_port}/cluster", timeout=timeout_s
            ) as answer:
                return json.load(answer)
        except (OSError, ValueError) as err:
            failures.append(f"{name}: {err}")
    raise Failure("unreachable", f"no member's Patroni answers: {'; '.join(failures)}")


def leaders_timeline(told):
    """The leader's timeline in Patroni's ``/cluster``; None if it isn't known. Pure."""
    for member in told.get("members", []):
        if member.get("role") in ("leader", "standby_leader") and isinstance(member.get("timeline"), int):
            return member["timeline"]
    return None
