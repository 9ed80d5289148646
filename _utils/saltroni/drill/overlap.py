"""Whether two members took writes at the same time: clients that connect to the old leader itself, past HAProxy.

They ask for ``synchronous_commit = local``, so that a leader that nobody follows any more still acknowledges: what is
looked for is two writable primaries, whatever the mode of replication. Their rows count for nothing else.
"""

import uuid

from saltroni.drill import database
from saltroni.drill.writers import Writers

LOCAL = "-c synchronous_commit=local"
NUMBER = 2
THINK_S = 0.02


class Beside:
    """Writers to the member that leads before the fault, if ``fault`` asks for them (``WRITES_DIRECTLY``).

    Args:
        model: the pillar's ``saltroni``.
        fault: the drill's.
        leader: who leads before it.
        drill: the drill's id.
        lines: the drill's journal.
    """

    def __init__(self, model, fault, leader, drill, lines):
        self._writers = None
        if getattr(fault.module, "WRITES_DIRECTLY", False):
            where = dict(database.member(model, leader), options=LOCAL)
            # rows of another drill, as it were: they are compared with nothing
            self._drill = str(uuid.uuid5(uuid.UUID(drill), "directly"))
            self._lines = lines
            self._writers = Writers([where], self._drill, self, NUMBER, THINK_S)

    def add(self, line):
        """Keep an outcome of these writers apart from the others'."""
        self._lines.add({"directly": line})

    def start(self):
        """Begin to write."""
        if self._writers:
            self._writers.start()

    def stop(self):
        """End it; returns the moments (monotonic) of acknowledgements, None without writers.

        Their rows go with the drill's table.
        """
        if not self._writers:
            return None
        told = self._writers.stop()
        return sorted(at for times in told.times().values() for at in times)


def overlap(times, fault_at, key_taken_at, first_at):
    """How long two took writes. Pure; all moments are of one clock.

    Args:
        times: moments at which the old leader acknowledged, None if nobody wrote to it.
        fault_at: the fault.
        key_taken_at: when another member was first seen to hold the key, None if none did.
        first_at: the first commit by way of the load balancer after the outage.

    Returns:
        ``{rows, lasted_s, direct_rows, former_leader_last_at_s, new_leader_first_at_s}``, the moments counted from the
        fault; None if nobody wrote to the old leader or nobody took over. The new leader's first moment is the earlier of the two: it
        may have taken writes before ours.
    """
    if times is None or key_taken_at is None:
        return None
    first = min(key_taken_at, first_at)
    last = max(times, default=None)
    return {
        "rows": sum(at > first for at in times),
        "direct_rows": len(times),
        "lasted_s": 0.0 if last is None else round(max(0.0, last - first), 3),
        "former_leader_last_at_s": None if last is None else round(last - fault_at, 3),
        "new_leader_first_at_s": round(first - fault_at, 3),
    }
