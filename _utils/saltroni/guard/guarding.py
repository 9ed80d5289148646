"""The guard itself: it gathers what the watchers found, decides by :mod:`lease` and :mod:`silence`, and acts."""

import queue
import sys
import time

from saltroni import processes
from saltroni.guard import answer, fuse, lease, postmaster, silence, systemd, watchers

TICK_S = 0.1
#: Longer than this between two ticks is a pause of our own.
GAP_S = 2.0


def say(text):
    """A line for the journal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Guard:
    """One node's guard.

    Args:
        settings: see ``salt/patroni/files/guard.json.jinja``.
    """

    def __init__(self, settings):
        self._settings = settings
        self._parts = settings["parts"]
        self._rules = lease.Rules(
            settings["own"], settings["ttl_s"], settings["loop_wait_s"], settings["retry_timeout_s"]
        )
        self._found = queue.SimpleQueue()
        self._watchers = watchers.Watchers(settings, lambda *found: self._found.put(found))
        self._lease = None
        self._silence = silence.Silence()
        self._seen = None
        self._quiet = set()
        self._last = None
        self._fuse = fuse.Fuse()

    def told(self):
        """What it does, for :mod:`saltroni.health`."""
        known, present, seen = self._lease, watchers.now(), self._seen
        end = known and known.end()
        return {
            "member": self._settings["own"],
            "parts": sorted(part for part, wanted in self._parts.items() if wanted),
            "postgresql": seen.role if seen else "not running",
            "lease_s": None if end is None else round(end - present, 1),
            "paused": bool(known and known.paused),
            "etcd_silent": bool(known and known.silent(present)),
            "last_action": self._last,
            "stands_back": self._fuse.blown(present),
        }

    def run(self):
        """Guard until the end."""
        self._watchers.start()
        answer.Answers(self._settings, self.told).start()
        systemd.tell("READY=1")
        say(f"guards {self._settings['data_dir']}: {', '.join(self.told()['parts'])}")
        before = watchers.now()
        while True:
            self._listen(TICK_S)
            present = watchers.now()
            if present - before > GAP_S:
                self._paused(present - before, present)
            before = present
            self._look(present)
            self._act(present)
            systemd.tell("WATCHDOG=1")

    def _listen(self, timeout_s):
        try:
            while True:
                self._take(*self._found.get(timeout=timeout_s))
                timeout_s = 0.001
        except queue.Empty:
            return

    def _paused(self, length_s, present):
        say(f"did not run for {length_s:.1f} s: looks anew before it concludes anything")
        self._silence = silence.Silence()
        if self._lease:
            self._lease = self._lease.paused_ourselves(present)

    def _look(self, present):
        """The postmaster, and whether it is the one that we know of."""
        seen = postmaster.look(self._settings["data_dir"])
        writable = seen is not None and seen.writable
        if not writable:
            self._lease = None
        elif self._lease is None or self._seen is None or self._seen.life != seen.life:
            self._lease = lease.Lease(self._rules, since=present)
            self._silence = silence.Silence()
        self._seen = seen
        self._watchers.pid = seen.pid if writable else None
        self._watchers.life = seen.life if writable else None
        if self._lease and self._lease.doubtful(present):
            self._watchers.doubt.set()
        else:
            self._watchers.doubt.clear()

    def _take(self, kind, life, found):
        if kind == "woken":
            self._did(f"postmaster {found['pid']} died: woke Patroni in {found['took_s'] * 1000:.0f} ms")
        elif kind == "not woken":
            say(f"postmaster {found['pid']} died, Patroni wasn't woken: {found['why']}")
        elif kind in ("etcd silent", "patroni silent"):
            self._once(kind, found["why"])
        elif self._lease is not None and life == self._seen.life:
            self._quiet.discard(f"{kind} silent")
            self._know(kind, found)

    def _know(self, kind, found):
        if kind == "etcd":
            self._lease = self._lease.seen(**found)
        elif kind == "patroni":
            self._lease = self._lease.said(**found)
        elif found["answered"]:
            self._silence = silence.Silence()
        else:
            self._silence = self._silence.silent(found["began"], found["ended"], found["before"], found["after"])
        self._watchers.silent = self._silence.since is not None
        self._watchers.left_s = self._settings["for_s"] - self._silence.lasts_s()

    def _once(self, kind, why):
        if kind not in self._quiet:
            self._quiet.add(kind)
            say(f"{kind}: {why}")

    def _did(self, text):
        self._last = {"at_unix": round(time.time(), 3), "what": text}
        say(text)

    def _act(self, present):
        if self._lease is None:
            return
        reason = self._lease.reason(present) if self._parts["lease"] else None
        if reason:
            self._stop(f"stopped PostgreSQL: {reason}", True, present)
        elif self._parts["connections"] and self._silence.frozen(self._settings["for_s"]) and self._lease.ours(present):
            lasted = self._silence.lasts_s()
            text = f"killed the postmaster: it took no connection and did nothing for {lasted:.1f} s"
            self._stop(text, False, present)

    def _stop(self, text, gently, present):
        if self._fuse.blown(present):
            self._once("stands back", f"it would have {text}, but it did so {fuse.STOPS} times in {fuse.WITHIN_S:g} s")
            return
        try:
            took_s = postmaster.stop(self._settings["data_dir"], self._seen, gently)
        except processes.ProcessError as err:
            say(f"could not stop PostgreSQL: {err}")
            return
        self._quiet.discard("stands back")
        self._fuse = self._fuse.stopped(present)
        self._did(f"{text}; took {took_s:.2f} s")
