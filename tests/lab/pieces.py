"""Run on a node by its Salt's Python: the parts of a drill driven by themselves, with faults planted in the rows.

    python - rows               writers and readers through the load balancer; then rows are planted
    python - reads MEMBER       MEMBER stands still: readers of it directly, and readers of the port

Prints one JSON object.
"""

import json
import sys
import tempfile
import time
import uuid

import salt.client

sys.path.insert(0, "/var/cache/salt/minion/extmods/utils")

from saltroni.drill import database, journal, ledger, reads
from saltroni.drill.readers import Readers
from saltroni.drill.writers import Writers
from saltroni.failover.promise import Promise

MODEL = salt.client.Caller().opts["pillar"]["saltroni"]
BALANCER = MODEL["self"]["name"]
DRILL = str(uuid.uuid4())
LEADER = database.writes(MODEL, BALANCER)
NAMES = {MODEL["nodes"][name]["address"]: name for name in MODEL["by_role"]["patroni"]}
PROMISE = Promise.of(MODEL)
LATE_S = reads.delay_s(PROMISE.loop_wait_s, PROMISE.release_s)
NUMBER = 2


def ask(query, *arguments):
    return database.ask(LEADER, query, arguments, timeout_s=10)


def compared(told):
    return ledger.compare(told, DRILL, ask(ledger.ROWS, DRILL))


def checked(seen, told):
    kept = ledger.kept(told, ask(ledger.ROWS, DRILL))
    return reads.check(seen, kept, MODEL["haproxy"]["max_lag_bytes"], LATE_S)


def reading(where):
    readers = Readers([where], [LEADER], NAMES, DRILL, NUMBER)
    readers.start()
    return readers


def rows(lines):
    writers = Writers([LEADER], DRILL, lines, NUMBER, think_s=0.02, batch=3, rate=20)
    port = reading(database.reads(MODEL, BALANCER))
    writers.start()
    time.sleep(5)
    told = writers.stop()
    time.sleep(1)
    yield "honest", compared(told)
    yield "honest reads", checked(port.stop(), told)
    direct = reading(LEADER)
    time.sleep(1)
    ask("DELETE FROM ledger WHERE drill = %s AND writer = 1 AND sequence > 9", DRILL)
    time.sleep(1)
    yield "rows taken away under a reader", {**reads.check(direct.stop(), told.acknowledged, 2**30, LATE_S)}
    ask(ledger.INSERT, DRILL, 0, 6, ledger.digest(DRILL, 0, 6))
    ask("DELETE FROM ledger WHERE drill = %s AND writer = 0 AND sequence = 5", DRILL)
    yield "planted", {**compared(told), "writer 1": len(told.acknowledged[1])}


def stale(lines, member):
    writers = Writers([LEADER], DRILL, lines, NUMBER, think_s=0.05)
    port, direct = reading(database.reads(MODEL, BALANCER)), reading(database.member(MODEL, member))
    writers.start()
    time.sleep(1)
    written = 0
    while written < MODEL["haproxy"]["max_lag_bytes"] + 4 * 2**20:
        ask("SELECT pg_logical_emit_message(false, 'saltroni', repeat('x', 1048576))")
        written += 2**20
    time.sleep(LATE_S + 3)
    told = writers.stop()
    yield "the port", checked(port.stop(), told)
    yield "the member", checked(direct.stop(), told)


def main(what, *arguments):
    if what == "rows":  # who stands still must have had it before
        ask(ledger.TABLE)
        ask(ledger.INDEX)
    with tempfile.TemporaryDirectory() as folder, journal.Journal(folder) as lines:
        try:
            print(json.dumps(dict({"rows": rows, "reads": stale}[what](lines, *arguments))))
        finally:
            ask(ledger.CLEAN_ALL)


if __name__ == "__main__":
    main(*sys.argv[1:])
