"""Clients that write through a load balancer and remember what they were told.

Each one commits row by row, so that every acknowledgement stands for one row. Deadlines are the client's own: libpq's
``connect_timeout=1`` really means 2 s, and a dead machine behind a load balancer lets a statement wait for ever.

A statement that gets no answer is ended by closing the socket, never by a cancel request: a server that waits for a
standby answers a cancel with success and a warning (PostgreSQL's documentation, *Synchronous Replication*).
"""

import asyncio
import os
import socket
import threading
import time
from collections import Counter

from saltroni.drill import database, ledger

CONNECT_S = 1.0
STATEMENT_S = 2.0
BACK_OFF_S = 0.02
#: "canceling wait for synchronous replication": committed here, maybe nowhere else.
NOT_DURABLE = "01000"
#: The server's last words before it ends the session: the commit may have happened.
ENDED = ("57P01", "57P02", "57P03")


class Writers:
    """``number`` writers in a thread of their own.

    Args:
        ways: connection parameters of load balancers, see :func:`saltroni.drill.database.writes`; a writer keeps to
            one until it fails, then takes the next, as libpq does with several hosts.
        drill: the drill's id.
        journal: gets a line for every outcome.
        number: how many writers.
        think_s: pause of a writer after each commit (seconds).
    """

    def __init__(self, ways, drill, journal, number=4, think_s=0.005):
        self.ledger = ledger.Ledger(acknowledged={writer: {} for writer in range(number)})
        self.errors = Counter()
        self._ways = list(ways)
        self._drill = drill
        self._journal = journal
        self._think_s = think_s
        self._psycopg = database.driver()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drill writers", daemon=True)

    def start(self):
        """Begin to write."""
        self._thread.start()

    def stop(self):
        """End the writers after the statements that are under way.

        Returns:
            the ledger.
        """
        self._ended.set()
        self._thread.join(timeout=CONNECT_S + STATEMENT_S + 5)
        return self.ledger

    def times(self):
        """``{writer: [times]}`` of acknowledgements so far."""
        return {writer: list(rows.copy().values()) for writer, rows in self.ledger.acknowledged.items()}

    def _run(self):
        asyncio.run(self._all())

    async def _all(self):
        await asyncio.gather(*(self._writer(writer) for writer in self.ledger.acknowledged))

    async def _writer(self, writer):
        connection, warned, sequence, way = None, [], 0, 0
        while not self._ended.is_set():
            if connection is None:
                connection = await self._connected(self._ways[way % len(self._ways)], warned)
                if connection is None:
                    way += 1
                    await asyncio.sleep(BACK_OFF_S)
                    continue
            sequence += 1
            warned.clear()
            outcome = await self._write(connection, writer, sequence)
            self._remember(writer, sequence, "undurable" if outcome == "acknowledged" and warned else outcome)
            if outcome == "acknowledged":
                await asyncio.sleep(self._think_s)
                continue
            await connection.close()
            connection = None
            await asyncio.sleep(BACK_OFF_S)
        if connection is not None:
            await connection.close()

    async def _connected(self, where, warned):
        try:
            connection = await asyncio.wait_for(
                self._psycopg.AsyncConnection.connect(**where, autocommit=True), CONNECT_S
            )
        except (TimeoutError, self._psycopg.Error) as err:
            self.ledger.not_connected += 1
            self._failed("connect", err)
            return None

        def notice(diagnostics):
            if diagnostics.sqlstate == NOT_DURABLE:
                warned.append(diagnostics.message_primary)

        connection.add_notice_handler(notice)
        return connection

    async def _write(self, connection, writer, sequence):
        row = (self._drill, writer, sequence, ledger.digest(self._drill, writer, sequence))
        statement = asyncio.ensure_future(connection.execute(ledger.INSERT, row))
        done, _ = await asyncio.wait({statement}, timeout=STATEMENT_S)
        if not done:
            _hang_up(connection)
        try:
            await statement
        except self._psycopg.Error as err:
            self._failed("insert", err)
            told_no = err.sqlstate and err.sqlstate not in ENDED and not connection.closed
            return "refused" if told_no else "unknown"
        return "acknowledged"

    def _failed(self, where, err):
        text = (str(err).strip() or type(err).__name__).split("\n")[0][:160]
        self.errors[f"{where}: {getattr(err, 'sqlstate', None) or type(err).__name__}: {text}"] += 1

    def _remember(self, writer, sequence, outcome):
        now = time.monotonic()
        if outcome == "acknowledged":
            self.ledger.acknowledged[writer][sequence] = now
        elif outcome == "refused":
            self.ledger.refused += 1
        else:
            getattr(self.ledger, outcome).add((writer, sequence))
        self._journal.add([round(now, 6), writer, sequence, outcome])


def _hang_up(connection):
    """Close the connection under a statement that waits, so that it ends at once."""
    try:
        descriptor = os.dup(connection.fileno())
    except (OSError, database.driver().Error):
        return  # it is closed already
    with socket.socket(fileno=descriptor) as link:
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster
