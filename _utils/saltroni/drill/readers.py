"""Clients that read through the replica port while others write, and one that asks the leader how far it has written.

Deadlines are the client's own, as those of the writers. What fails is counted, not judged: the port may have nobody
behind it.
"""

import asyncio
import itertools
import threading
import time

from saltroni.drill import database, reads
from saltroni.drill.hangup import hang_up

EVERY_S = 0.2
CONNECT_S = 1.0
STATEMENT_S = 2.0
#: A reader's connection is made anew so often (reads): the load balancer sends it to another member then.
READS_A_CONNECTION = 10

SELF = "SELECT host(inet_server_addr())"
REPLAYED = """
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0')
"""
POSITIONS = """
SELECT w, coalesce((SELECT max(sequence) FROM ledger WHERE drill = %s AND writer = w), 0)
FROM generate_series(0, %s::int - 1) w"""
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"


class Readers:
    """``number`` readers and one that asks the leader, in a thread of their own.

    Args:
        replicas: connection parameters of the replica port, of each load balancer.
        leader: those of the leader's port.
        names: ``{address: name}`` of members.
        drill: the drill's id.
        writers: how many writers there are.
        number: how many readers.
    """

    def __init__(self, replicas, leader, names, drill, writers, number=2):
        self.seen = reads.Seen()
        self._replicas = list(replicas)
        self._leader = list(leader)
        self._names = names
        self._drill = drill
        self._writers = writers
        self._number = number
        self._psycopg = database.driver()
        self._connections = itertools.count()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="drill readers", daemon=True)

    def start(self):
        """Begin to read."""
        self._thread.start()

    def stop(self):
        """End; returns :class:`saltroni.drill.reads.Seen`, reads and places in the order of their times."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=CONNECT_S + STATEMENT_S + 5)
        self.seen.reads.sort(key=lambda read: read.sent_at)
        self.seen.places.sort(key=lambda place: place.received_at)
        return self.seen

    async def _all(self):
        readers = [self._repeat(self._replicas, self._read, READS_A_CONNECTION) for _ in range(self._number)]
        await asyncio.gather(*readers, self._repeat(self._leader, self._place, None))

    async def _repeat(self, ways, ask, times):
        """Connect to one of ``ways`` after the other, and ask, so many times on each connection."""
        for number in itertools.count():
            if self._ended.is_set():
                return
            connection = None
            try:
                where = ways[number % len(ways)]
                connection = await asyncio.wait_for(
                    self._psycopg.AsyncConnection.connect(**where, autocommit=True), CONNECT_S
                )
                await self._on(connection, ask, times)
            except (TimeoutError, self._psycopg.Error):
                self.seen.failed += ask == self._read
                await asyncio.sleep(EVERY_S)
            finally:
                if connection is not None:
                    await connection.close()

    async def _on(self, connection, ask, times):
        address = (await self._rows(connection, SELF))[0][0]
        name, label = self._names.get(address, address), next(self._connections)
        for _ in range(times) if times else itertools.count():
            if self._ended.is_set():
                return
            await ask(connection, name, label)
            await asyncio.sleep(EVERY_S)

    async def _read(self, connection, name, label):
        sent_at = time.monotonic()
        replayed = int((await self._rows(connection, REPLAYED))[0][0])
        positions = dict(await self._rows(connection, POSITIONS, (self._drill, self._writers)))
        self.seen.reads.append(reads.Read(sent_at, name, label, replayed, positions))

    async def _place(self, connection, name, label):
        sent_at = time.monotonic()
        written = int((await self._rows(connection, WRITTEN))[0][0])
        self.seen.places.append(reads.Place(sent_at, time.monotonic(), written))

    async def _rows(self, connection, query, arguments=()):
        statement = asyncio.ensure_future(connection.execute(query, arguments))
        done, _ = await asyncio.wait({statement}, timeout=STATEMENT_S)
        if not done:
            hang_up(connection)
        return await (await statement).fetchall()
