"""What this node's PostgreSQL and the one that it follows say.

The second is asked as the receiver of the log asks it, by this node's own ``primary_conninfo``: no other right is
needed, and no password passes through here. Source: PostgreSQL's documentation, *Streaming Replication Protocol*.
"""

import contextlib
import select
import time

import psycopg2
import psycopg2.extras

from saltroni.lineage import history, wal

SOCKET = "/var/run/postgresql"
TIMEOUT_S = 3
#: Classes of the server's codes that say nothing of its history: connections, rights, resources, an operator, the system.
OTHERWISE = ("08", "28", "53", "57", "58")
#: Its codes for a piece of the log that it has thrown away: the file isn't there; it is, for the archive's sake, but doesn't count
#: any more. The second is that of a place that isn't in its history, too, which it says before it begins to send.
GONE = ("58P01", "XX000")
#: No name of a member: a connection that carries one could be taken for a standby that confirms commits.
NAME = "saltroni lineage"

OWN = """
SELECT pg_is_in_recovery(), c.checkpoint_lsn::text, c.redo_lsn::text, c.timeline_id,
       extract(epoch FROM c.checkpoint_time)::bigint, current_setting('primary_conninfo')
FROM pg_control_checkpoint() c"""
HISTORY = "SELECT pg_read_file('pg_wal/' || %s, 0, 1048576, true)"


class Own:
    """This node's PostgreSQL, by the socket, as user postgres. One connection, made anew when it breaks."""

    def __init__(self, port):
        self._port = port
        self._connection = None

    def ask(self, query, arguments=()):
        """Rows of a query.

        Raises:
            psycopg2.Error: it doesn't run, or isn't ready.
        """
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(
                    host=SOCKET, port=self._port, user="postgres", dbname="postgres", connect_timeout=TIMEOUT_S,
                    application_name=NAME, options=f"-c statement_timeout={TIMEOUT_S}s",
                )  # fmt: skip
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(query, arguments)
                return cursor.fetchall()
        except psycopg2.Error:
            self.close()
            raise

    def close(self):
        """End the connection."""
        if self._connection is not None:
            with contextlib.suppress(psycopg2.Error):
                self._connection.close()
        self._connection = None

    def look(self):
        """``{in_recovery, checkpoint, redo, timeline, time_unix, follows}``."""
        recovers, checkpoint, redo, timeline, time_unix, follows = self.ask(OWN)[0]
        return {
            "in_recovery": recovers,
            "checkpoint": history.position(checkpoint),
            "redo": history.position(redo),
            "timeline": timeline,
            "time_unix": time_unix,
            "follows": follows,
        }

    def history(self, timeline):
        """This node's own history file of a timeline, None without one."""
        return self.ask(HISTORY, (history.name(timeline),))[0][0]


def upstream(own):
    """What the one that ``own`` follows has, see :func:`saltroni.lineage.judge.judge`."""
    if not own["follows"]:
        return None
    try:
        with contextlib.closing(_replication(own["follows"])) as connection:
            return _seen(connection, own)
    except psycopg2.Error as err:
        return {"error": f"whom it follows can't be asked: {str(err).strip()}"}


def _replication(follows):
    return psycopg2.connect(
        follows,
        connection_factory=psycopg2.extras.PhysicalReplicationConnection,
        application_name=NAME,
        connect_timeout=TIMEOUT_S,
    )


def _seen(connection, own):
    with connection.cursor() as cursor:
        cursor.execute("SHOW in_hot_standby")
        leads = cursor.fetchone()[0] == "off"
        cursor.execute("IDENTIFY_SYSTEM")
        timeline = int(cursor.fetchone()[1])
        text = None
        if timeline > 1:
            cursor.execute(f"TIMELINE_HISTORY {timeline}")
            content = cursor.fetchone()[1]
            # a column of type bytea until PostgreSQL 14, text since
            text = content if isinstance(content, str) else bytes(content).decode()
        found = {"leads": leads, "timeline": timeline, "history": text, "data": b"", "refused": None, "gone": False}
        try:
            _begin(cursor, own)
        except psycopg2.Error as err:
            if not err.pgcode or err.pgcode[:2] in OTHERWISE:
                raise
            return {**found, "refused": _said(err)}
        try:
            found["data"] = _log(connection, cursor, own)
        except psycopg2.Error as err:
            if err.pgcode not in GONE:
                raise
            found["gone"] = _said(err)
        return found


def _said(err):
    return str(err).strip().split("\n")[0] or "no reason given"


def _begin(cursor, own):
    """Ask for the leader's log from this node's checkpoint on; it is refused at once where that isn't in its history."""
    cursor.start_replication(
        slot_type=psycopg2.extras.REPLICATION_PHYSICAL,
        start_lsn=history.place(own["checkpoint"]),
        timeline=own["timeline"],
    )


def _log(connection, cursor, own):
    """As much of it as is needed, or as there is."""
    data, end = b"", time.monotonic() + TIMEOUT_S
    while len(data) < wal.ENOUGH and time.monotonic() < end:
        message = cursor.read_message()
        if message is None:
            select.select([connection], [], [], 0.1)
            if data and wal.is_checkpoint(data, own["checkpoint"], own) is not None:
                break
            continue
        data += message.payload
    return data[: wal.ENOUGH]
