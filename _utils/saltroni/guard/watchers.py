"""What looks and asks, each in a thread of its own so that a slow answer holds up nobody else."""

import contextlib
import os
import select
import threading
import time

from saltroni.guard import postmaster, remote

#: Between two looks at the lease, two words of Patroni, two tries to connect (seconds).
LOOK_EVERY_S = 0.5
ASK_EVERY_S = 1.0
TRY_EVERY_S = 0.5
IDLE_S = 0.2
#: How long a dead postmaster's children are waited for before Patroni is woken (seconds); it takes them a tenth at most.
DESERTED_S = 0.3


def now():
    """Seconds of a clock that also goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Watchers:
    """Starts what the settings want.

    Args:
        settings: the guard's.
        tell: takes ``(kind, life, {...})`` of what was found.
    """

    def __init__(self, settings, tell):
        self.life = None  # of the postmaster that takes writes
        self.pid = None
        self.silent = False  # whether the postmaster left the last try to connect without an answer
        self.left_s = 0.0  # of the time after which it counts as frozen
        self.doubt = threading.Event()
        self._settings = settings
        self._tell = tell

    def start(self):
        """Begin."""
        parts = self._settings["parts"]
        works = [self._looks] if parts["lease"] or parts["connections"] else []
        works += [self._asks] if parts["lease"] else []
        works += [self._tries] if parts["connections"] else []
        works += [self._wakes] if parts["wake"] else []
        for work in works:
            threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True).start()

    def _looks(self):
        etcd = remote.Etcd(self._settings)
        while True:
            life = self.life
            if life is None:
                time.sleep(IDLE_S)
                continue
            asked = now()
            try:
                self._tell("etcd", life, {"asked": asked, **etcd.look()})
            except remote.RemoteError as err:
                self._tell("etcd silent", life, {"why": str(err)})
            time.sleep(LOOK_EVERY_S)

    def _asks(self):
        patroni = remote.Patroni(self._settings)
        while True:
            self.doubt.wait()
            asked, life = now(), self.life
            try:
                self._tell("patroni", life, {"asked": asked, **patroni.word()})
            except remote.RemoteError as err:
                self._tell("patroni silent", life, {"why": str(err)})
            time.sleep(ASK_EVERY_S)

    def _tries(self):
        wait_s = self._settings["connect_timeout_s"]
        while True:
            life, pid = self.life, self.pid
            if life is None:
                time.sleep(IDLE_S)
                continue
            before, began = postmaster.switches(pid), now()
            answered = postmaster.answers(
                self._settings["socket"], min(wait_s, max(0.2, self.left_s)) if self.silent else wait_s
            )
            found = {"answered": answered is not False, "began": began, "ended": now(), "before": before}
            self._tell("connection", life, {**found, "after": postmaster.switches(pid)})
            time.sleep(TRY_EVERY_S if answered is not False else 0)

    def _wakes(self):
        patroni = remote.Patroni(self._settings)
        while True:
            seen = postmaster.look(self._settings["data_dir"])
            if seen is None or not self._died(seen):
                time.sleep(IDLE_S)
                continue
            left = postmaster.read(self._settings["data_dir"])
            # one that ends in good order takes its file away
            if left is None or left.life != seen.life or left.state == "stopping":
                continue
            begun = now()
            # while a session of Patroni's lives on, it finds a leader without standbys, and gives its chosen one up
            postmaster.deserted(self._settings["data_dir"], DESERTED_S)
            try:
                patroni.wake()
                self._tell("woken", None, {"pid": seen.pid, "took_s": now() - begun})
            except remote.RemoteError as err:
                self._tell("not woken", None, {"pid": seen.pid, "why": str(err)})

    def _died(self, seen):
        """Wait for the end of a postmaster; False if it was gone before we held it."""
        try:
            held = os.pidfd_open(seen.pid)
        except OSError:
            return False
        try:
            found = postmaster.look(self._settings["data_dir"])
            if found is None or found.life != seen.life:
                return False
            waiting = select.poll()
            waiting.register(held, select.POLLIN)
            waiting.poll()
            return True
        finally:
            with contextlib.suppress(OSError):
                os.close(held)
