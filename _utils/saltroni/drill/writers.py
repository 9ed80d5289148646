"""Clients that write through a load balancer and remember what they were told.

Each one commits row by row, or a few rows at once, which are acknowledged together. Deadlines are the client's own: libpq's
``connect_timeout=1`` really means 2 s, and a dead machine behind a load balancer lets a statement wait for ever.

A statement that gets no answer is ended by closing the socket, see :mod:`saltroni.drill.hangup`.
"""

import asyncio
import threading
import time
from collections import Counter

from saltroni.drill import database, ledger
from saltroni.drill.hangup import hang_up

CONNECT_S = 1.0
STATEMENT_S = 2.0
#: A writer without an answer tries again after this long, and after a hundredth of its outage so far where that is longer: the
#: figure is as good, and machines that all boot at once aren't kept from it.
BACK_OFF_S, LONGEST_S = 0.02, 0.25
#: A session that is told no is kept for so long, as a client's pool keeps it: a new leader says no until its promotion is
#: over, and new sessions (a handshake and a password each) would keep it from that.
PATIENT_S = 1.0
#: "canceling wait for synchronous replication": committed here, maybe nowhere else.
NOT_DURABLE = "01000"
#: The server's last words before it ends the session: the commit may have happened.
ENDED = ("57P01", "57P02", "57P03")


def back_off_s(outage_s):
    """Seconds until the next try of a writer that has had no answer for ``outage_s`` seconds. Pure."""
    return min(LONGEST_S, max(BACK_OFF_S, outage_s / 100))


class Writers:
    """``number`` writers in a thread of their own.

    Args:
        ways: connection parameters of load balancers, see :func:`saltroni.drill.database.writes`; a writer keeps to
            one until it fails, then takes the next, as libpq does with several hosts.
        drill: the drill's id.
        journal: gets a line for every outcome.
        number: how many writers.
        think_s: pause of a writer after each commit (seconds).
        batch: rows of a transaction.
        rate: transactions per second of one writer at most, 0 for as many as there can be.
    """

    def __init__(self, ways, drill, journal, number=4, think_s=0.005, batch=1, rate=0.0):
        self.ledger = ledger.Ledger(acknowledged={writer: {} for writer in range(number)})
        self.errors = Counter()
        self._ways = list(ways)
        self._drill = drill
        self._journal = journal
        self._think_s = think_s
        self._batch = batch
        self._every_s = 1 / rate if rate else 0.0
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
        connection, warned, sequence, way, answered, patient = None, [], 0, 0, time.monotonic(), 0.0
        while not self._ended.is_set():
            if connection is None:
                connection = await self._connected(self._ways[way % len(self._ways)], warned)
                if connection is None:
                    way += 1
                    await asyncio.sleep(back_off_s(time.monotonic() - answered))
                    continue
                patient = time.monotonic() + PATIENT_S
            sequences = range(sequence + 1, sequence + 1 + self._batch)
            sequence = sequences[-1]
            warned.clear()
            begun = time.monotonic()
            outcome = await self._write(connection, writer, sequences)
            self._remember(writer, sequences, "undurable" if outcome == "acknowledged" and warned else outcome)
            if outcome == "acknowledged":
                answered = time.monotonic()
                patient = answered + PATIENT_S
                await asyncio.sleep(max(self._think_s, begun + self._every_s - time.monotonic()))
                continue
            if outcome != "refused" or begun > patient:
                await connection.close()
                connection = None
            await asyncio.sleep(back_off_s(time.monotonic() - answered))
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

    async def _write(self, connection, writer, sequences):
        rows = [(self._drill, writer, number, ledger.digest(self._drill, writer, number)) for number in sequences]
        values = [value for row in rows for value in row]
        # one statement is one transaction
        statement = asyncio.ensure_future(connection.execute(ledger.insert(len(rows)), values))
        done, _ = await asyncio.wait({statement}, timeout=STATEMENT_S)
        if not done:
            hang_up(connection)
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

    def _remember(self, writer, sequences, outcome):
        now = time.monotonic()
        for sequence in sequences:
            if outcome == "acknowledged":
                self.ledger.acknowledged[writer][sequence] = now
            elif outcome == "refused":
                self.ledger.refused += 1
            else:
                getattr(self.ledger, outcome).add((writer, sequence))
            self._journal.add([round(now, 6), writer, sequence, outcome])
