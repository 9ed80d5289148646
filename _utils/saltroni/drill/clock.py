"""One moment on two machines' clocks: what another's wall clock says, in seconds of this one's monotonic clock.

Clocks of machines differ by more than a failover takes, so the difference is measured by asking PostgreSQL for its time
and keeping the quickest of several answers (the error is at most half of what that one took).
"""

import time

from saltroni.drill import database

QUESTIONS = 5


def difference_s(where, clock=time.monotonic):
    """The machine's Unix time minus this process's monotonic clock.

    Args:
        where: connection parameters of PostgreSQL on that machine.

    Returns:
        ``(difference, error)`` in seconds.

    Raises:
        DatabaseError: no answer.
    """
    psycopg = database.driver()
    best = None
    try:
        with psycopg.connect(**where, connect_timeout=3, autocommit=True) as connection:
            for _ in range(QUESTIONS):
                asked = clock()
                there = float(connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0])
                took = clock() - asked
                if best is None or took / 2 < best[1]:
                    best = (there - asked - took / 2, took / 2)
    except psycopg.Error as err:
        raise database.DatabaseError(f"{where['host']}:{where['port']}: {str(err).strip()}") from err
    return best


def moment(unix, difference, earliest, latest):
    """A moment on the other's wall clock as this one's monotonic time, within what is known for certain. Pure."""
    return min(max(unix - difference, earliest), latest)
