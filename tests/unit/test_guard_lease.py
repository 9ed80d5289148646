"""The lease guard's decision, against a small world in which Patroni freezes, etcd falls silent and we pause."""

import itertools

import pytest

from saltroni.guard import lease

RULES = lease.Rules(own="pg1", ttl_s=20, loop_wait_s=1, retry_timeout_s=5)
TICK_S = 0.5


class World:
    """Patroni renews each round until it freezes; etcd may be silent to us, to Patroni, or to both; we may pause.

    Args:
        frozen: when Patroni freezes, None for never.
        ours: when etcd is silent to the guard, ``(from, until)``.
        theirs: when it is silent to Patroni.
        pause: when the guard doesn't run.
        failsafe: whether Patroni leads on without etcd.
    """

    def __init__(self, frozen=None, ours=(0, 0), theirs=(0, 0), pause=(0, 0), failsafe=True):
        self.frozen, self.ours, self.theirs, self.pause, self.failsafe = frozen, ours, theirs, pause, failsafe
        self.renewed = self.called = self.reached = 0.0
        self.taken = None

    @staticmethod
    def _in(span, now):
        return span[0] <= now < span[1]

    def patroni(self, now):
        """A round of Patroni's: it renews, or asks the others for leave."""
        if self.frozen is not None and now >= self.frozen:
            return
        if not self._in(self.theirs, now):
            self.renewed = self.reached = now
        elif self.failsafe:
            self.called = now

    def lease_ends(self):
        """Nobody else can lead before this moment."""
        return max(self.renewed, self.called) + RULES.ttl_s

    def others(self, now):
        """Another takes over as soon as it may."""
        if self.taken is None and now >= self.lease_ends():
            self.taken = now

    def look(self, known, now):
        if self._in(self.ours, now):
            return known
        if self.taken is not None:
            return known.seen(now, "pg2", 20, False)
        left = int(self.renewed + RULES.ttl_s - now)
        # in failsafe mode the key ends, and nobody takes it
        return known.seen(now, "pg1" if left > 0 else None, left if left > 0 else None, False)

    def ask(self, known, now):
        if not known.doubtful(now) or (self.frozen is not None and now >= self.frozen):
            return known
        failsafe = self.called > self.reached
        leads = failsafe or now - self.reached < RULES.loop_wait_s + RULES.retry_timeout_s
        return known.said(now, leads, failsafe, now - self.reached, False)

    def run(self, until=70.0, began=0.0):
        """``(when PostgreSQL was stopped, why, when another took over)``."""
        known, before = lease.Lease(RULES, since=began), began
        for step in range(int(until / TICK_S)):
            now = step * TICK_S
            self.patroni(now)
            self.others(now)
            if now < began or self._in(self.pause, now):
                continue
            if now - before > 2:
                known = known.paused_ourselves(now)
            before = now
            known = self.ask(self.look(known, now), now)
            reason = known.reason(now)
            if reason:
                return now, reason, self.taken
        return None, None, self.taken


def test_a_leader_that_is_well_is_left_alone():
    assert World().run() == (None, None, None)


@pytest.mark.parametrize("frozen", [0.5, 3, 7.5, 12])
@pytest.mark.parametrize("ours", [(0, 0), (2, 9), (5, 70), (13, 70)])
def test_a_frozen_patroni_is_fenced_before_another_may_lead(frozen, ours):
    """Also where etcd is silent to us: a silence of etcd's must not save a frozen leader."""
    stopped, reason, taken = World(frozen=frozen, ours=ours).run()
    assert reason and taken is None
    assert frozen + 6 < stopped < frozen + RULES.ttl_s


@pytest.mark.parametrize("silent", [(10, 25), (10, 60), (0, 70)])
@pytest.mark.parametrize("both", [True, False])
def test_etcd_alone_stops_nothing(silent, both):
    """All of etcd lost with failsafe mode, or lost to us only."""
    world = World(ours=silent, theirs=silent if both else (0, 0))
    assert world.run() == (None, None, None)


@pytest.mark.parametrize("frozen", [12, 20, 33, 41])
def test_a_freeze_in_failsafe_mode_is_fenced_in_time(frozen):
    stopped, _, taken = World(frozen=frozen, ours=(10, 70), theirs=(10, 70)).run()
    assert stopped is not None and taken is None


@pytest.mark.parametrize("begin", [1, 5, 20])
@pytest.mark.parametrize("length", [3, 9, 17, 25, 40])
def test_our_own_pause_does_no_harm(begin, length):
    assert World(pause=(begin, begin + length)).run() == (None, None, None)


def test_a_machine_that_stood_still_is_fenced_at_once_when_another_leads():
    stopped, reason, taken = World(frozen=5, pause=(5, 40)).run()
    assert (stopped, taken) == (40, 24.5)
    assert reason.startswith("pg2 holds the leader's key")


def test_a_guard_that_starts_late_sees_the_other_leader():
    stopped, reason, _ = World(frozen=2).run(began=30)
    assert (stopped, reason[:3]) == (30, "pg2")


def test_a_guard_that_starts_without_etcd_and_without_patroni_waits_for_a_lease():
    stopped, _, _ = World(frozen=0, ours=(0, 70)).run(began=1)
    assert stopped == 1 + RULES.ttl_s - lease.MARGIN_S


def test_a_cluster_that_is_being_founded_has_no_key_yet():
    known = lease.Lease(RULES, since=0).seen(1, None, None, False)
    assert not known.doubtful(1000) and known.reason(1000) is None


#: What may be learned in one step.
EVENTS = {
    "ours": lambda known, now: known.seen(now, "pg1", 18, False),
    "ours, soon over": lambda known, now: known.seen(now, "pg1", 4, False),
    "another's": lambda known, now: known.seen(now, "pg2", 18, False),
    "nobody's": lambda known, now: known.seen(now, None, None, False),
    "paused": lambda known, now: known.seen(now, "pg2", 18, True),
    "silence": lambda known, now: known,
    "failsafe": lambda known, now: known.said(now, True, True, 30, False),
    "Patroni sees etcd": lambda known, now: known.said(now, True, False, 1, False),
    "Patroni follows": lambda known, now: known.said(now, False, False, 1, False),
    "a pause of our own": lambda known, now: known.paused_ourselves(now),
}


@pytest.mark.parametrize("step_s", [0.5, 4, 16])
def test_all_short_histories(step_s):
    """Every history of four events: what the docstring of the module says of every decision."""
    histories = 0
    for names in itertools.product(EVENTS, repeat=4):
        known, now = lease.Lease(RULES, since=0), 0.0
        for name in names:
            now += step_s
            known = EVENTS[name](known, now)
            reason = known.reason(now)
            if name == "ours":
                assert reason is None, names
            if name == "another's":
                assert reason, names
            if name in ("paused", "a pause of our own"):
                assert reason is None, names
            if name == "ours, soon over" and known.word < now:
                assert reason, names
            if name == "failsafe" and not known.foreign:
                assert reason is None, names
            assert not (known.ours(now) and reason and known.foreign), names
        histories += 1
    assert histories == len(EVENTS) ** 4


def test_silence_after_a_proof_ends_in_a_stop_whatever_came_between():
    for names in itertools.product([name for name in EVENTS if name != "paused"], repeat=4):
        known, now = lease.Lease(RULES, since=0), 0.0
        known = EVENTS["ours"](known, now)
        for name in names:
            now += 1
            known = EVENTS[name](known, now)
        assert known.reason(now + RULES.ttl_s), names
