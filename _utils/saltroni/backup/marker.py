"""A row that is written on the leader, and the segment that holds it: archived before anybody looks for the row elsewhere.

:depends: psycopg
"""

import time

from saltroni import access, wait
from saltroni.backup.failure import Failure

#: The database that every cluster has, and a schema of our own in it.
DATABASE = "postgres"
TABLE = """
CREATE SCHEMA IF NOT EXISTS saltroni;
CREATE TABLE IF NOT EXISTS saltroni.marker (id text PRIMARY KEY, why text NOT NULL, at timestamptz NOT NULL)"""
INSERT = "INSERT INTO saltroni.marker VALUES (%s, %s, clock_timestamp())"
TIDY = "DELETE FROM saltroni.marker WHERE at < clock_timestamp() - interval '40 days'"
SWITCH = "SELECT pg_walfile_name(pg_switch_wal())"
WAITS = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name = %s"
ARCHIVER = "SELECT last_failed_wal, last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver"
ARCHIVES = "SELECT current_setting('archive_mode')"
POLL_S = 0.5


def parameters(model, leader):
    """How a member connects to the leader as the cluster's superuser: TLS, the name verified."""
    return {
        "host": leader,
        "hostaddr": model["nodes"][leader]["address"],
        "port": model["postgresql"]["port"],
        "user": "postgres",
        "dbname": DATABASE,
        "password": model["secrets"]["superuser"],
        "sslmode": "verify-full",
        "sslrootcert": access.CA,
        "gssencmode": "disable",
        "connect_timeout": 10,
        "application_name": "saltroni marker",
        "options": "-c statement_timeout=30s",
    }


def write(model, leader, identity, why, deadline_s, clock=time.monotonic):
    """Write a row, end its segment, and wait until that is archived.

    Args:
        model: the pillar's ``saltroni``, of a PostgreSQL node.
        leader: the leader's name.
        identity: the row's key.
        why: who wants it.
        deadline_s: seconds until it is given up that the segment is archived.

    Returns:
        ``{segment, took_s}``

    Raises:
        Failure: ``database``: the leader doesn't take it; ``timeout``: it isn't archived in time.
    """
    import psycopg  # put into Salt's Python by the state that needs it

    begun = clock()
    try:
        with psycopg.connect(**parameters(model, leader), autocommit=True) as connection:
            if connection.execute(ARCHIVES).fetchone()[0] == "off":
                raise Failure(
                    "database", f"{leader} archives nothing: archive_mode is off until it is restarted (patroni.health)"
                )
            connection.execute(TABLE)
            connection.execute(INSERT, (identity, why))
            connection.execute(TIDY)
            segment = connection.execute(SWITCH).fetchone()[0]
            _archived(connection, segment, deadline_s)
    except psycopg.Error as err:
        raise Failure("database", f"the leader {leader} doesn't take a row: {str(err).strip()}") from err
    return {"segment": segment, "took_s": round(clock() - begun, 1)}


def _archived(connection, segment, deadline_s):
    def gone():
        if connection.execute(WAITS, (f"{segment}.ready",)).fetchone()[0]:
            failed, now = connection.execute(ARCHIVER).fetchone()
            raise wait.NotYet(f"archiving fails (at {failed})" if now else "it waits for its turn")

    try:
        wait.until(gone, f"{segment} to be archived", deadline_s, every_s=POLL_S)
    except wait.DeadlineError as err:
        raise Failure("timeout", f"{err}: see walg.health on the leader") from err
