"""Backups of the cluster, by WAL-G or pgBackRest, whichever ``saltroni:backup:tool`` names. Run on a PostgreSQL node.

:depends: wal-g or pgbackrest; psycopg for :func:`backup`
"""

import logging
import uuid
from datetime import UTC, datetime

from salt.exceptions import CommandExecutionError

import saltroni.access
import saltroni.backup.base
import saltroni.backup.health
import saltroni.backup.local
import saltroni.backup.lock
import saltroni.backup.owner
import saltroni.backup.prove
import saltroni.backup.settings
import saltroni.backup.target
import saltroni.backup.tools
import saltroni.backup.wal
import saltroni.backup.window
import saltroni.drill.busy
import saltroni.etcd.gateway
import saltroni.patroni.rest
import saltroni.patroni.view
import saltroni.pillar.told
from saltroni.backup.failure import Failure
from saltroni.backup.settings import SettingsError

LOG = logging.getLogger(__name__)

__func_alias__ = {"list_": "list"}

ERRORS = (
    Failure,
    SettingsError,
    saltroni.patroni.rest.RestError,
    saltroni.pillar.told.NotTold,
    saltroni.backup.target.Unclear,
    saltroni.etcd.gateway.EtcdHttpError,
    OSError,
)


def _model():
    model = saltroni.pillar.told.model(__pillar__)
    if not model.get("backup", {}).get("enabled"):
        raise SettingsError("this cluster has no backups: set saltroni:backup:enabled")
    if "patroni" not in model["self"]["roles"]:
        where = saltroni.pillar.told.names(model, "patroni")
        raise SettingsError(f"{model['self']['name']} is no PostgreSQL node: ask {where}")
    return model


def _translated(call):
    """``call(model, settings, tool)``, its errors as Salt wants them."""
    try:
        model = _model()
        settings = saltroni.backup.settings.load()
        return call(model, settings, saltroni.backup.tools.tool(settings))
    except ERRORS as err:
        raise CommandExecutionError(str(err)) from err


#: How long the others wait, on a schedule, for the one whose turn it is (seconds).
GRACE_S = 900


def backup(full=None, here=False, scheduled=False, unless_younger_h=0.5):
    """Make a base backup: on a replica that is in step, else on the leader. Elsewhere it only says who makes it.

    One is made at a time in a cluster. It counts when all that it needs is in the archive.

    full
        True or False; without it a full one is made when the latest is older than ``backup:full_every_days``
    here
        make it on this node, whoever's turn it is
    scheduled
        called on every node at about the same time: the others wait for the one whose turn it is, and make it themselves if
        it doesn't
    unless_younger_h
        hours; on a schedule, a backup that began so long ago or later is the one that was due

    Returns ``{tool, backup, kind, bytes, took_s, verdict, reasons, expired}``, told to the report as ``backup/finished``; or
    ``{skipped}``, a sentence.

    The exit code is 1 for ``failed``.

    Raises CommandExecutionError if another backup runs, or nobody can say whether one does.

    CLI Example:

    .. code-block:: bash

        salt-call walg.backup
        salt-call walg.backup full=True here=True
        salt-call walg.backup scheduled=True
    """

    def make(model, settings, tool):
        identity, since = uuid.uuid4().hex[:8], datetime.now(UTC)
        base = saltroni.backup.base
        outside = base.Outside(
            cluster=lambda: _cluster(model),
            switch=lambda leader: _switch(model, leader),
            lock=lambda: saltroni.backup.lock.held(model, f"backup-{identity}", since.isoformat(timespec="seconds")),
            checkpoint=lambda leader: _checkpoint(model, leader),
        )
        if scheduled:
            # each node learns whose the archive is: one that will lead must know an archive that got lost from a new one
            saltroni.backup.owner.check(settings, tool)
            wanted = base.turn(settings, tool, outside, float(unless_younger_h) * 3600, GRACE_S)
        else:
            chosen = base.maker(outside.cluster(), tool.from_replica)
            wanted = None if here or chosen == settings.member else f"{chosen} makes the backup"
        if wanted:
            return {"skipped": wanted}
        try:
            return base.make(settings, tool, outside, full)
        except Failure as err:
            if err.kind == "busy" and scheduled:
                return {"skipped": str(err)}
            raise

    result = _translated(make)
    if "verdict" in result:
        _emit("backup/finished", result)
        if result["verdict"] != "passed":
            __context__["retcode"] = 1
    return result


def _cluster(model):
    return saltroni.patroni.view.table(saltroni.patroni.rest.ask_any(model, "/cluster"))


def _switch(model, leader):
    """Have the leader begin a new segment of the log."""
    _ask_leader(model, leader, "begin a new segment of its log", 10, "SELECT pg_switch_wal()")


def _checkpoint(model, leader):
    """Have the leader begin a new segment and make a checkpoint; where its log is afterwards."""
    queries = ("SELECT pg_switch_wal()", "CHECKPOINT", "SELECT pg_current_wal_lsn()::text")
    return saltroni.backup.wal.position(_ask_leader(model, leader, "make a checkpoint", 600, *queries))


def _ask_leader(model, leader, what, timeout_s, *queries):
    """Run queries on the leader; the last one's value."""
    import psycopg  # put into Salt's Python by the state that needs it

    where = {
        "host": leader,
        "hostaddr": model["nodes"][leader]["address"],
        "port": model["postgresql"]["port"],
        "user": "postgres",
        "password": model["secrets"]["superuser"],
        "dbname": "postgres",
        "sslmode": "verify-full",
        "sslrootcert": saltroni.access.CA,
        "gssencmode": "disable",
        "connect_timeout": 10,
        "application_name": "saltroni backup",
        "options": f"-c statement_timeout={timeout_s}s",
    }
    try:
        with psycopg.connect(**where, autocommit=True) as connection:
            for query in queries:
                cursor = connection.execute(query)
            return cursor.fetchone()[0]
    except psycopg.Error as err:
        raise Failure("database", f"{leader} doesn't {what}: {str(err).strip()}") from err


def list_():
    """Base backups in the archive, the oldest first.

    Returns a list of ``{id, kind, base, started, finished, start_lsn, finish_lsn, start_segment, timeline, size, stored,
    system_id, permanent, abandoned}``; ``abandoned`` says that the cluster has left the backup's timeline before its end,
    None where nobody knows.

    Raises CommandExecutionError if the archive can't be asked.

    CLI Example:

    .. code-block:: bash

        salt-call walg.list
    """

    def rows(model, settings, tool):
        try:
            descent = saltroni.backup.local.where(settings).descent
        except Failure:
            descent = None  # a node whose PostgreSQL is down can still list
        return [
            {**one.row(), "abandoned": None if descent is None else not saltroni.backup.window.belongs(one, descent)}
            for one in tool.list()
        ]

    return _translated(rows)


def verify():
    """What is missing or damaged in the archive: a list of ``{timeline, start, end, status}``; empty if all is well.

    The exit code is 1 if anything was found.

    Raises CommandExecutionError if it can't be verified.

    CLI Example:

    .. code-block:: bash

        salt-call walg.verify
    """
    found = _translated(lambda model, settings, tool: tool.verify())
    if found:
        __context__["retcode"] = 1
    return found


def recovery_window():
    """From when to when this cluster can be restored to any moment.

    Returns a list of ``{timeline, from, until, gaps, present}``, the present timeline's first. ``until`` is None where
    everything up to now can be restored, but for what waits to be archived (:func:`health`); ``gaps`` are moments in between
    that can't: ``{start, end, first, last}`` with the names of the segments that are missing. A timeline that was left has
    a window of its own only if the archive has more of it than the one that followed.

    Raises CommandExecutionError if the archive can't be asked.

    CLI Example:

    .. code-block:: bash

        salt-call walg.recovery_window
    """

    def windows(model, settings, tool):
        return [one.row() for one in saltroni.backup.window.look(settings, tool)]

    return _translated(windows)


def expire():
    """Remove backups and log that retention (``backup:keep_full``, ``backup:keep_days``) doesn't keep.

    Returns the removed backups' ids. Each successful backup does it too.

    Raises CommandExecutionError if it can't be done.

    CLI Example:

    .. code-block:: bash

        salt-call walg.expire
    """

    def work(model, settings, tool):
        since = datetime.now(UTC).isoformat(timespec="seconds")
        saltroni.backup.owner.check(settings, tool)
        with saltroni.backup.lock.held(model, f"expire-{uuid.uuid4().hex[:8]}", since):
            return tool.expire(settings.keep_full, settings.keep_days)

    return _translated(work)


def health():
    """Whether this member's log reaches the archive, without asking the storage.

    Returns ``{waiting, oldest, oldest_s, wal_bytes_s, free_bytes, disk_left_s, failure, success, ..., sentence}``;
    ``sentence`` says what is wrong and what to do, None if all is well. Only a leader archives.

    Raises CommandExecutionError if ``pg_wal`` can't be looked at.

    CLI Example:

    .. code-block:: bash

        salt-call walg.health
    """

    def look(model, settings, tool):
        seen = saltroni.backup.health.look(settings)
        return {**seen, "sentence": saltroni.backup.health.sentence(seen)}

    return _translated(look)


def probe():
    """Prove that the archive can be listed, written and read now, and that it is this cluster's.

    Returns True.

    Raises CommandExecutionError with the kind of the failure and what to do about it.

    CLI Example:

    .. code-block:: bash

        salt-call walg.probe
    """

    def prove(model, settings, tool):
        tool.probe()
        saltroni.backup.owner.check(settings, tool)
        return True

    return _translated(prove)


def prove(time=None, lsn=None, name=None, xid=None, timeline=None, scheduled=False, on_leader=False):
    """Prove that the archive alone gives the database back: fetched, recovered, checked and removed again, on this node.

    A row is written on the leader first, and must come back. Tables and indexes are looked at by ``pg_amcheck``, every page
    by ``pg_checksums``. The cluster and its archive aren't touched: the copy is a server without a network, in a unit that
    doesn't even see the cluster's data.

    time, lsn, name, xid
        prove that this moment of the past can be restored, instead of the present
    timeline
        the timeline to follow; the newest without it
    scheduled
        do it only if it is this node's turn and it isn't busy: what the timer calls on every node
    on_leader
        do it although this node leads

    Returns ``{tool, backup, kind, bytes, target, verdict, reasons, recovery_s, loss_s, last_commit, parts, took_s, ...}``, told to the
    report as ``proof/finished``: ``recovery_s`` from an empty folder to a database that answers; ``loss_s`` how old the last
    commit that came back was when the proof began. Or ``{skipped}``, a sentence.

    The exit code is 1 for ``failed``.

    Raises CommandExecutionError if it is refused: a drill, a backup or a restore runs, the node leads, or has no room.

    CLI Example:

    .. code-block:: bash

        salt-call walg.prove
        salt-call walg.prove time='2026-11-25 10:00:00'
    """

    def work(model, settings, tool):
        cluster = _seen(model)
        chosen = saltroni.backup.prove.whose(cluster)
        if scheduled and chosen != settings.member:
            return {"skipped": f"{chosen or 'no replica that streams'} makes the proof"}
        proof = saltroni.backup.prove.Proof(model, settings, tool, saltroni.backup.settings.FILE)
        asked = _target(time=time, lsn=lsn, name=name, xid=xid, timeline=timeline)
        node = saltroni.backup.prove.here(model, settings, cluster, saltroni.drill.busy.running(model), scheduled)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        # the same key as a backup's: backups, proofs and drills on a schedule don't meet
        with saltroni.backup.lock.held(model, f"proof-{proof.id[:8]}", since):
            try:
                return proof.run(asked, node, on_leader)
            except Failure as err:
                return proof.failed(err, asked)

    try:
        result = _translated(work)
    except saltroni.backup.prove.Refused as err:
        if scheduled:
            _emit("proof/refused", {"reasons": err.reasons})
        raise CommandExecutionError(f"the proof is refused: {err}") from err
    if "verdict" in result:
        _emit("proof/finished", result)
        if result["verdict"] != "passed":
            __context__["retcode"] = 1
    return result


def extract(database, path, table=None, time=None, lsn=None, name=None, xid=None, timeline=None, format="plain"):
    """Write one database, or some of its tables, as they were at a moment, into a file. The cluster isn't touched.

    database
        its name
    path
        the file to write; it must not be there yet, and only root can read it
    table
        a table's name, with its schema where several have one of that name; several separated by commas; all without it
    time, lsn, name, xid
        the moment; the present end of the archive without one
    timeline
        the timeline to follow; the newest without it
    format
        ``plain`` (SQL), ``custom`` or ``tar``: pg_dump's

    Returns ``{path, bytes, database, tables, target, parts, took_s}``.

    Raises CommandExecutionError if it is refused (no room, a table that is there twice or not at all) or fails; the file is gone then.

    CLI Example:

    .. code-block:: bash

        salt-call walg.extract database=app table=orders time='2026-11-25 10:00:00' path=/root/orders.sql
    """

    def work(model, settings, tool):
        asked = _target(time=time, lsn=lsn, name=name, xid=xid, timeline=timeline)
        node = saltroni.backup.prove.here(model, settings, _seen(model), saltroni.drill.busy.running(model))
        tables = [one.strip() for one in str(table or "").split(",") if one.strip()]
        wanted = {"database": database, "tables": tables, "format": format}
        return saltroni.backup.prove.extract(
            model, settings, tool, saltroni.backup.settings.FILE, asked, node, wanted, path
        )

    try:
        return _translated(work)
    except saltroni.backup.prove.Refused as err:
        raise CommandExecutionError(f"the extract is refused: {err}") from err


def _target(**asked):
    said = {key: value for key, value in asked.items() if value is not None}
    if not set(said) - {"timeline"}:
        said["latest"] = True
    return saltroni.backup.target.parse(said)


def _seen(model):
    """Patroni's view of the cluster; None if no member answers: an archive can be proven without a cluster, too."""
    try:
        return _cluster(model)
    except saltroni.patroni.rest.RestError:
        return None


def _emit(what, data):
    """Keep an event for the report and tell the master now, if it is there; if not, it is told later."""
    try:
        __salt__["spool.put"](what, data)
        __salt__["spool.send"]()
    except CommandExecutionError as err:
        LOG.warning("%s isn't told yet: %s", what, err)
