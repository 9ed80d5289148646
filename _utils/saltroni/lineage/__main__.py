"""The service: ``python3 -m saltroni.lineage DATA_DIRECTORY PORT``, as user postgres.

Looks every second whether something changed, and compares then, and once a minute. A fork must be seen several times
in a row before anything is done. What was found is in ``/run/saltroni-lineage/state.json``.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

import psycopg2

from saltroni.lineage import ask, hold, judge

EVERY_S = 1.0
AGAIN_S = 60.0
STATE = Path("/run/saltroni-lineage/state.json")
#: So many times in a row, when the timelines are the same, and when they aren't: Patroni may be about to rewind then.
SURE, SURE_OTHERWISE = 3, 20


def alive():
    """Tell systemd that the service isn't stuck. Source: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.connect("\0" + address[1:] if address.startswith("@") else address)
        systemd.send(b"READY=1\nWATCHDOG=1")


def tell(text):
    """A line for the journal."""
    print(text, flush=True)


class Service:
    """What it remembers between two looks."""

    def __init__(self, data_dir, port):
        self._data_dir = data_dir
        self._own = ask.Own(port)
        self._compared = None  # (what was compared, when)
        self._in_a_row = 0
        self.verdict, self.sentence = judge.UNKNOWN, "not asked yet"

    def look(self):
        """One round."""
        before = (self.verdict, self.sentence)
        try:
            own = self._own.look()
            self._compare(own)
        except psycopg2.Error as err:
            self._in_a_row, self._compared = 0, None
            self.verdict, self.sentence = judge.UNKNOWN, f"PostgreSQL here can't be asked: {str(err).strip()}"
        if (self.verdict, self.sentence) != before and self.verdict != before[0]:
            tell(f"{self.verdict}: {self.sentence}")
        self._act()
        self._publish()

    def _compare(self, own):
        known = (own["in_recovery"], own["checkpoint"], own["timeline"], own["follows"])
        settled = self.verdict in (judge.SAME, judge.LEADER) and self._compared and self._compared[0] == known
        if settled and time.monotonic() < self._compared[1] + AGAIN_S:
            return
        seen = ask.upstream(own) if own["in_recovery"] else None
        timeline = (seen or {}).get("timeline")
        own["history"] = self._own.history(timeline) if timeline else None
        self.verdict, self.sentence = judge.judge(own, seen)
        self._compared = (known, time.monotonic())
        if self.verdict != judge.FORKED:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        sure = self._in_a_row >= (SURE if own["timeline"] == timeline else SURE_OTHERWISE)
        if sure and hold.marked(self._data_dir) is None:
            hold.mark(self._data_dir, self.sentence)
            tell(f"marked: {self.sentence}")

    def _act(self):
        why = hold.marked(self._data_dir)
        # data that were copied anew must prove themselves; a leader's are the cluster's
        proven = self.verdict in (judge.SAME, judge.LEADER)
        changed = hold.hold(why) if why is not None else proven and hold.release()
        if changed:
            in_vain = hold.reload()
            tell(("held out of elections" if why else "let go") + (f", but {in_vain}" if in_vain else ""))

    def _publish(self):
        text = json.dumps(
            {
                "at_unix": round(time.time(), 1),
                "verdict": self.verdict,
                "sentence": self.sentence,
                "held": hold.marked(self._data_dir),
            }
        )
        temporary = STATE.with_suffix(".new")
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.rename(STATE)


def main(data_dir, port):
    """Look until told to stop."""
    service = Service(data_dir, int(port))
    while True:
        service.look()
        alive()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main(*sys.argv[1:3])
