"""What this member's PostgreSQL says of itself, by its socket and its files."""

import struct
from dataclasses import dataclass
from pathlib import Path

from saltroni.backup import run, wal
from saltroni.backup.failure import Failure

TIMEOUT_S = 15


def ask(settings, query, timeout_s=TIMEOUT_S):
    """Rows of a query, as lists of texts.

    Raises:
        Failure: ``database``: it doesn't run or refuses.
    """
    arguments = [
        "/usr/bin/psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", settings.socket, "-p", str(settings.port),
        "-U", settings.user, "-d", "postgres", "-c", query,
    ]  # fmt: skip
    environment = {"PGCONNECT_TIMEOUT": "5", "PGOPTIONS": f"-c statement_timeout={int(timeout_s * 1000)}"}
    environment["PGAPPNAME"] = "saltroni backup"
    done = run.run(arguments, timeout_s + 5, settings.user, environment)
    if done.code != 0:
        raise Failure("database", f"PostgreSQL of {settings.member} at port {settings.port}: {run.short(done.text)}")
    return [line.split("\t") for line in done.out.splitlines()]


def system_id(data_dir):
    """The system identifier, from the control file: its first eight bytes. Source: PostgreSQL's ``pg_control.h``.

    Raises:
        Failure: ``database``: there is no such file.
    """
    path = Path(data_dir) / "global" / "pg_control"
    try:
        with path.open("rb") as source:
            return struct.unpack("<Q", source.read(8))[0]
    except (OSError, struct.error) as err:
        raise Failure("database", f"{path} can't be read: {err}") from err


@dataclass(frozen=True)
class Where:
    """Where this member is in the log."""

    in_recovery: bool
    timeline: int
    #: Written by a leader, replayed by a replica.
    lsn: int
    #: Its timeline's descent, see :func:`saltroni.backup.wal.line`.
    descent: tuple

    def row(self):
        """As words for people."""
        return f"timeline {self.timeline} at {wal.place(self.lsn)}"


#: A leader's timeline is that of the segment it writes; a replica's is the newest that it has heard of.
_WHERE = """
SELECT pg_is_in_recovery(),
    CASE WHEN pg_is_in_recovery()
        THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline, w.received_tli)
              FROM pg_control_checkpoint() c, pg_control_recovery() r LEFT JOIN pg_stat_wal_receiver w ON true)
        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"""


def where(settings):
    """This member's place in the log.

    Raises:
        Failure: ``database``: it can't be asked, or its timeline's history isn't there.
    """
    recovers, timeline, lsn = ask(settings, _WHERE)[0]
    return Where(recovers == "t", int(timeline), wal.position(lsn or "0/0"), descent(settings, int(timeline)))


def leaders_address(settings):
    """Whom this member streams from: a host or an address; None if from nobody.

    Raises:
        Failure: ``database``.
    """
    rows = ask(settings, "SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'")
    return rows[0][0] if rows else None


def descent(settings, timeline):
    """The descent of a timeline, by its history file in ``pg_wal``.

    Raises:
        Failure: ``database``: there is no such file though there must be one.
    """
    if timeline == 1:
        return tuple(wal.line(1))
    try:
        return tuple(wal.line(timeline, history(settings, timeline)))
    except ValueError as err:
        raise Failure("database", f"the history of timeline {timeline} can't be read: {err}") from err


def history(settings, timeline):
    """Text of a timeline's history file in ``pg_wal``.

    Raises:
        Failure: ``database``: there is none.
    """
    try:
        return (settings.wal / wal.history_name(timeline)).read_text(encoding="utf-8")
    except (OSError, ValueError) as err:
        raise Failure("database", f"the history of timeline {timeline} can't be read: {err}") from err
