"""When must this node's PostgreSQL be stopped because it may lead no longer? Pure; times are seconds of one clock.

What is true of every decision (``tests/unit/test_guard_lease.py`` tries all short histories):

1. Nothing is stopped that takes no writes (there is no :class:`Lease` then), and nothing while the cluster is paused:
   nobody is promoted then.
2. While the lease is ours, is renewed and this is seen, nothing is stopped.
3. A lease that was seen as ours and is renewed no more ends no earlier than :attr:`Lease.ends`; PostgreSQL is stopped
   ``margin_s`` before, unless Patroni itself answers for it.
4. If another member holds the key, PostgreSQL is stopped at once, whatever Patroni says.
5. Silence of etcd alone stops nothing: Patroni answers for the lease, by its failsafe mode, or because it reaches etcd
   where we don't. A word of Patroni's never outlives what the other members were promised.
6. A key that nobody holds is no proof for or against: a cluster that is being founded has none.
7. After a pause of our own nothing is concluded from what we knew before: etcd is asked first, for at most
   ``reread_s``.

Sources: etcd API, *Lease* (the remaining time is rounded down, a lease never ends early); Patroni's documentation,
*DCS Failsafe Mode* (the others hold still for ``ttl`` after the leader's last call) and *Watchdog support*
(``safety_margin``).
"""

import math
from dataclasses import dataclass, replace

#: PostgreSQL is stopped so long before the lease can end, as Patroni's watchdog does it (seconds).
MARGIN_S = 5.0
#: So long before that Patroni is asked for its word.
DOUBT_S = 5.0
#: etcd that gave no answer for so long is silent.
SILENT_S = 3.0
#: After a pause of our own etcd has so long to answer.
REREAD_S = 3.0
NEVER = -math.inf


@dataclass(frozen=True)
class Rules:
    """The cluster's settings that count here."""

    own: str
    ttl_s: float
    loop_wait_s: float
    retry_timeout_s: float


@dataclass(frozen=True)
class Lease:
    """What is known of the leader's lease since PostgreSQL takes writes.

    Attributes:
        rules: :class:`Rules`.
        since: when we began to know.
        ends: moment before which the lease can't end, None if it never was seen as ours.
        word: moment until which Patroni answers for it.
        foreign: the other member that holds the key.
        paused: whether automatic failover is switched off.
        looked: when etcd was last asked successfully.
        gap: when we noticed a pause of our own.
    """

    rules: Rules
    since: float
    ends: float | None = None
    word: float = NEVER
    foreign: str | None = None
    paused: bool = False
    looked: float = NEVER
    gap: float = NEVER

    def seen(self, asked, holder, left_s, paused):
        """etcd answered.

        Args:
            asked: when it was asked.
            holder: who has the key, None if nobody.
            left_s: remaining seconds of the key's lease; None if it has none or that isn't known.
            paused: whether the cluster is.
        """
        ours = holder == self.rules.own and left_s is not None
        return replace(
            self,
            ends=asked + left_s if ours else self.ends,
            foreign=holder if holder not in (None, self.rules.own) else None,
            paused=paused,
            looked=max(self.looked, asked),
        )

    def said(self, asked, leads, failsafe, etcd_ago_s, paused):
        """Patroni answered.

        Args:
            asked: when it was asked.
            leads: whether it takes itself for the leader.
            failsafe: whether failsafe mode keeps it leader.
            etcd_ago_s: how long ago it reached etcd.
            paused: whether it knows the cluster as paused.
        """
        rules = self.rules
        told = replace(self, paused=self.paused or paused)
        if not leads:
            return told
        if failsafe:
            # its last call to the others is at most one round old, and a round may wait for etcd
            until = asked + rules.ttl_s - rules.loop_wait_s - rules.retry_timeout_s
        elif self.silent(asked):
            until = asked - etcd_ago_s + rules.ttl_s - rules.loop_wait_s
        else:
            return told  # we know better than it does
        return replace(told, word=max(self.word, until))

    def paused_ourselves(self, now):
        """We didn't run for a while, alone or with the whole machine."""
        return replace(self, foreign=None, gap=now)

    def silent(self, now):
        """Whether etcd has given no answer for a while."""
        return now - self.looked > SILENT_S

    def _blind(self, now):
        return self.looked < self.gap and now < self.gap + REREAD_S

    def end(self):
        """Moment at which the lease may end, None where nothing speaks of one."""
        if self.ends is not None:
            return self.ends
        # we came when etcd was silent already
        return self.since + self.rules.ttl_s if self.looked == NEVER else None

    def doubtful(self, now):
        """Whether Patroni must be asked for its word."""
        end = self.end()
        return end is not None and now >= end - MARGIN_S - DOUBT_S

    def ours(self, now):
        """Whether etcd said a moment ago that the lease is ours, and nobody wants it otherwise."""
        return not (self.ends is None or self.foreign or self.paused or self.silent(now)) and now < self.ends

    def reason(self, now):
        """Why PostgreSQL must be stopped now, None if it need not."""
        if self.paused:
            return None
        if self.foreign:
            return f"{self.foreign} holds the leader's key, and this PostgreSQL takes writes"
        end = self.end()
        if end is None or self._blind(now) or now < max(end, self.word) - MARGIN_S:
            return None
        etcd = "etcd is silent" if self.silent(now) else "etcd answers"
        return (
            f"the leader's lease may end in {end - now:.1f} s and Patroni neither renews it nor answers for it ({etcd})"
        )
