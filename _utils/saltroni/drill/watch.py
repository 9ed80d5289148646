"""Who leads, moment by moment, as a member that the fault doesn't touch sees it in etcd."""

import threading
import time

from saltroni.patroni import rest

EVERY_S = 0.1


class Watch:
    """Looks until :meth:`stop`; :attr:`seen` are the changes as ``(monotonic seconds, leader or None)``.

    Args:
        model: the pillar's ``saltroni``.
        old: the leader that will get the fault, who is asked last.
    """

    def __init__(self, model, old):
        self.seen = [(time.monotonic(), old)]
        names = [name for name in model["by_role"]["patroni"] if name != old] or [old]
        self._members = [rest.Member(model, name, timeout_s=1.0) for name in names]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="drill watch", daemon=True)

    def start(self):
        """Begin to look."""
        self._thread.start()

    def stop(self):
        """Look no more, if it ever began; returns what was seen."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        return self.seen

    def _work(self):
        while not self._ended.wait(EVERY_S):
            try:
                leader = rest.leader(self._members[0].get("/cluster"))
            except rest.RestError:
                self._members.append(self._members.pop(0))
                continue
            if leader != self.seen[-1][1]:
                self.seen.append((time.monotonic(), leader))


def phases(seen, old, fault_at):
    """Seconds from the fault until the leader's key was gone and until another leader held it. Pure.

    ``None`` for what wasn't seen: the key may be taken again between two looks, and a leader that recovers in place
    keeps it.
    """
    gone = next((at for at, leader in seen if leader != old), None)
    taken = next((at for at, leader in seen if leader not in (None, old)), None)
    return {
        "leader_key_gone_s": None if gone is None else round(gone - fault_at, 3),
        "new_leader_s": None if taken is None else round(taken - fault_at, 3),
    }
