"""Run on a load balancer by its Salt's Python: writers through it, beside what fills a segment every few seconds.

    python - SECONDS

Prints one JSON object: the rows compared (:func:`saltroni.drill.ledger.compare`), what went wrong in ``errors``, and
``longest_s``, the longest that a writer waited from one acknowledgement to the next.
"""

import itertools
import json
import sys
import tempfile
import time
import uuid

import salt.client

sys.path.insert(0, "/var/cache/salt/minion/extmods/utils")

from saltroni.drill import database, journal, ledger
from saltroni.drill.writers import Writers

MODEL = salt.client.Caller().opts["pillar"]["saltroni"]
LEADER = database.writes(MODEL, MODEL["self"]["name"])
DRILL = str(uuid.uuid4())
#: 1 MiB of log a second: a segment in 16 s.
FILL = "SELECT pg_logical_emit_message(false, 'saltroni', repeat('x', 1048576))"


def ask(query, *arguments):
    return database.ask(LEADER, query, arguments, timeout_s=10)


def written(seconds, lines):
    writers, errors = Writers([LEADER], DRILL, lines, number=4, think_s=0.02, rate=20), {}
    writers.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            ask(FILL)
        except database.DatabaseError as err:
            errors[str(err)] = errors.get(str(err), 0) + 1
        time.sleep(1)
    told = writers.stop()
    waits = [later - earlier for times in told.times().values() for earlier, later in itertools.pairwise(times)]
    return {
        **ledger.compare(told, DRILL, ask(ledger.ROWS, DRILL)),
        "errors": {**writers.errors, **errors},
        "longest_s": round(max(waits, default=0.0), 3),
    }


def main(seconds):
    ask(ledger.CLEAN_ALL)
    ask(ledger.TABLE)
    with tempfile.TemporaryDirectory() as folder, journal.Journal(folder) as lines:
        try:
            print(json.dumps(written(float(seconds), lines)))
        finally:
            ask(ledger.CLEAN_ALL)


if __name__ == "__main__":
    main(*sys.argv[1:])
