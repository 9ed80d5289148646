"""A base backup: who makes it, full or delta, and when it counts.

It counts when it could be restored now: a backup made on a replica ends in a segment that only the leader archives, and
which an idle leader would keep to itself for a long time. So the leader begins a new segment, and one waits until all that
the backup needs is in the archive.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from saltroni.backup import local, owner, wal, window
from saltroni.backup.failure import Failure
from saltroni.backup.tools import FULL

#: A replica that is behind by more than this isn't in step (bytes).
BEHIND_BYTES = 64 * 1024 * 1024
EVERY_S = 3.0
#: How often those who wait for another's backup look for it (seconds).
LOOK_S = 20.0


@dataclass(frozen=True)
class Outside:
    """What a backup needs of the world around it, given by Salt's module."""

    #: ``() -> {leader, members: {name: {role, state, timeline, lag_bytes, tags}}}``: Patroni's view.
    cluster: object
    #: ``(leader's name) -> None``: have it begin a new segment.
    switch: object
    #: ``() -> context manager``: one backup at a time in a cluster.
    lock: object
    now: object = lambda: datetime.now(UTC)
    clock: object = time.monotonic
    sleep: object = time.sleep
    #: ``(leader's name) -> LSN``: have it begin a new segment and make a checkpoint; replayed up to there, a replica has it.
    checkpoint: object = None


def maker(cluster, from_replica=True):
    """Who makes the next backup: the replica that is most in step, else the leader. Pure.

    Args:
        cluster: see :class:`Outside`.
        from_replica: whether the tool can do it on a replica.

    Raises:
        Failure: nobody leads.
    """
    leader = cluster.get("leader")
    if leader is None:
        raise Failure("database", "nobody leads this cluster now: no backup is made")
    timeline = cluster["members"][leader]["timeline"]
    fit = [
        (row["lag_bytes"], name)
        for name, row in cluster["members"].items()
        if name != leader
        and row["state"] == "streaming"
        and row["timeline"] == timeline
        and row["lag_bytes"] is not None
        and row["lag_bytes"] <= BEHIND_BYTES
        and not (row.get("tags") or {}).get("nofailover")
    ]
    # the same answer on every node, so that lag doesn't count as long as it is small
    return min(name for _, name in fit) if from_replica and fit else leader


def turn(settings, tool, outside, unless_younger_s, grace_s):
    """Whether this node has to make the backup that is due on every node's schedule.

    The one whose turn it is makes it at once. The others wait: a backup that appears is theirs too; if none does, because
    that node is down or has failed, they make it (one at a time, by the lock).

    Args:
        settings, tool, outside: see :func:`make`.
        unless_younger_s: a backup that began so many seconds ago, or later, is the one that was due.
        grace_s: seconds until the others step in.

    Returns:
        None, or why this node has nothing to do.

    Raises:
        Failure: the archive or PostgreSQL can't be asked.
    """
    since = outside.now() - timedelta(seconds=unless_younger_s)
    end = outside.clock() + grace_s
    while True:
        descent = local.where(settings).descent
        made = [one for one in tool.list() if one.started >= since and window.belongs(one, descent)]
        if made:
            return f"{made[-1].id} was begun at {made[-1].started.isoformat(timespec='seconds')}"
        if maker(outside.cluster(), tool.from_replica) == settings.member or outside.clock() + LOOK_S > end:
            return None
        outside.sleep(LOOK_S)


def wants_full(backups, descent, full_every_days, now):
    """Whether a full one is due: the latest full one of this descent is too old, or there is none. Pure."""
    full = [one.finished for one in backups if one.kind == FULL and window.belongs(one, descent)]
    # a backup that begins at the same hour every day is never quite seven days old
    return not full or now - max(full) > timedelta(days=full_every_days) - timedelta(hours=1)


def make(settings, tool, outside, full=None):
    """Make a base backup on this node.

    Args:
        settings: this node's.
        tool: its :class:`saltroni.backup.tools.Tool`.
        outside: see :class:`Outside`.
        full: True or False; None decides by the age of the latest full one.

    Returns:
        ``{tool, backup, kind, bytes, took_s, verdict, reasons, expired}``, what the report takes as ``backup/finished``.

    Raises:
        Failure: ``busy``: another one runs.
    """
    began = outside.clock()
    told = {"tool": settings.tool, "backup": None, "kind": None, "bytes": None, "reasons": [], "expired": []}
    with outside.lock():
        try:
            owner.check(settings, tool)
            _refuse_tablespaces(settings)
            if full is None:
                here = local.where(settings)
                full = wants_full(tool.list(), here.descent, settings.full_every_days, outside.now())
            _begin_anew(settings, tool, outside)
            made = tool.backup(full)
            told.update(backup=made["backup"], kind=made["kind"], bytes=made["bytes"])
            _tell_descent(settings, tool)
            _settle(settings, tool, outside, made["backup"])
            told["verdict"] = "passed"
        except Failure as err:
            told["verdict"] = "failed"
            told["reasons"].append(str(err))
        if told["verdict"] == "passed":
            try:
                told["expired"] = tool.expire(settings.keep_full, settings.keep_days)
            except Failure as err:
                told["reasons"].append(f"the backup is good, but older ones couldn't be expired: {err}")
    told["took_s"] = round(outside.clock() - began, 1)
    return told


def _refuse_tablespaces(settings):
    found = local.ask(settings, "SELECT spcname FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')")
    if found:
        which = ", ".join(row[0] for row in found)
        raise Failure("other", f"this cluster has tablespaces ({which}), which are not restored: move them away")


def _begin_anew(settings, tool, outside):
    """Have a replica's backup begin at a checkpoint of its own.

    It begins at the leader's last one, and WAL-G names it by that: a second one would be written over a first that is
    complete and counts, and whoever dies meanwhile leaves a mixture of both.
    """
    if not getattr(tool, "named_by_checkpoint", False) or not local.where(settings).in_recovery:
        return
    leader = outside.cluster().get("leader")
    if leader is None:
        raise Failure("database", "nobody leads, so nobody makes a checkpoint for a base backup to begin at")
    wanted, end = outside.checkpoint(leader), outside.clock() + settings.archived_timeout_s
    while local.where(settings).lsn < wanted:
        if outside.clock() + EVERY_S > end:
            raise Failure(
                "timeout", f"waited {settings.archived_timeout_s:g} s until this replica had {leader}'s checkpoint"
            )
        outside.sleep(EVERY_S)


def _tell_descent(settings, tool):
    """Archive the histories that the archive lacks: PostgreSQL archives each only once, so one that was emptied has none,
    and without that of its timeline nothing of a backup can be recovered."""
    stored = tool.segments()
    for timeline, _, _ in local.where(settings).descent:
        path = settings.wal / wal.history_name(timeline)
        if path.name not in stored and path.exists():
            tool.push_wal(path)


def _settle(settings, tool, outside, identity):
    """Have the leader begin a new segment, and wait until all that the backup needs is archived."""
    one = next((one for one in tool.list() if one.id == identity), None)
    if one is None:
        raise Failure("other", f"{identity} isn't in the list of backups")
    leader = outside.cluster().get("leader")
    if leader is None:
        raise Failure("database", f"nobody leads, so nobody archives what {identity} needs")
    outside.switch(leader)
    end = outside.clock() + settings.archived_timeout_s
    while True:
        here = local.where(settings)
        if not window.belongs(one, here.descent):
            raise Failure("other", f"{identity} is of a timeline that the cluster has left meanwhile")
        # the rest of the segment in which a timeline ends is in the next one's
        missing = window.lacking(one, here.descent, tool.segments(), None, settings.segment_bytes)
        if not missing:
            return
        if outside.clock() + EVERY_S > end:
            raise Failure(
                "timeout",
                f"waited {settings.archived_timeout_s:g} s until {leader} had archived what {identity} needs: "
                f"{', '.join(missing[:3])} {'is' if len(missing) == 1 else 'are'} missing",
            )
        outside.sleep(EVERY_S)
