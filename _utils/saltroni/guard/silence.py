"""Is the postmaster frozen? Pure; times are seconds of one clock.

A frozen postmaster (stopped by a signal, hung in the kernel) takes no connection while those that exist work on. What is
true of every decision:

1. Any answer, be it a refusal (``too many clients``, ``starting up``), proves that it lives.
2. A postmaster that does anything at all is slow, not frozen: its count of context switches moves. Then the time begins
   anew.
3. It is frozen when neither was seen for ``for_s`` seconds.

Source: proc(5), ``/proc/pid/status``: ``voluntary_ctxt_switches``, ``nonvoluntary_ctxt_switches``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Silence:
    """How long it has been silent.

    Attributes:
        since: begin of the silence, None if there is none.
        until: the end of the last try.
        switches: its context switches then.
    """

    since: float | None = None
    until: float = 0.0
    switches: int | None = None

    def silent(self, began, ended, before, after):
        """A try to connect got no answer from ``began`` until ``ended``; ``before`` and ``after`` are the switches."""
        if before is None or after is None:
            return Silence()
        if before != after:
            return Silence(ended, ended, after)
        if self.since is None or self.switches != before:
            return Silence(began, ended, after)
        return Silence(self.since, ended, after)

    def lasts_s(self):
        """Proven length of the silence."""
        return 0.0 if self.since is None else self.until - self.since

    def frozen(self, for_s):
        """Whether it has lasted for ``for_s`` seconds."""
        return self.since is not None and self.lasts_s() >= for_s
