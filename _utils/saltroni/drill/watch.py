"""The cluster moment by moment while a drill runs, seen by those whom the fault doesn't touch.

Who holds the leader's key and how the old leader is listed (Patroni's ``/cluster`` on another member), when the new one
takes writes (its own ``/patroni``, which asks PostgreSQL), which servers the load balancer leads to (its statistics),
and how far replicas are behind.
"""

import threading
import time

import requests

from saltroni import access
from saltroni.haproxy import stats
from saltroni.patroni import rest, view

EVERY_S = 0.1
TIMEOUT_S = 1.0
#: Roles of a member whose PostgreSQL is no standby (Patroni asks it: ``pg_is_in_recovery``).
WRITABLE = ("primary", "master")
#: Lag is sampled this often at first (seconds), and more rarely when there would be too many samples.
LAG_EVERY_S = 0.5
LAG_SAMPLES = 300


class NothingSeen(Exception):
    """This look told nothing."""


class Eye:
    """Looks until :meth:`stop`; :attr:`seen` are the changes as ``(monotonic seconds, what was seen)``.

    Args:
        name: of what is looked at.
        look: returns what is seen; may raise :class:`NothingSeen`.
        first: what was seen before.
    """

    def __init__(self, name, look, first):
        self.seen = [(time.monotonic(), first)]
        self._look = look
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"drill watch {name}", daemon=True)

    def start(self):
        """Begin to look."""
        self._thread.start()

    def stop(self):
        """Look no more, if it ever began."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _work(self):
        while not self._ended.wait(EVERY_S):
            try:
                now = self._look()
            except NothingSeen:
                continue
            if now != self.seen[-1][1]:
                self.seen.append((time.monotonic(), now))


class Lag:
    """Samples of how far replicas are behind, never more than :data:`LAG_SAMPLES`: then every other one goes."""

    def __init__(self):
        self.samples = []
        self._every_s = LAG_EVERY_S

    def add(self, at, lags):
        """``lags`` is ``{member: bytes or None}`` at ``at`` (monotonic seconds)."""
        if self.samples and at - self.samples[-1][0] < self._every_s:
            return
        self.samples.append((at, lags))
        if len(self.samples) > LAG_SAMPLES:
            self.samples = self.samples[::2]
            self._every_s *= 2


class Watch:
    """All eyes on one drill.

    Args:
        model: the pillar's ``saltroni``.
        old: the leader that will get the fault, who is asked last.
        balancer: the load balancer that the drill writes through.
    """

    def __init__(self, model, old, balancer):
        self._model, self._old, self._balancer = model, old, balancer
        names = [name for name in model["by_role"]["patroni"] if name != old] or [old]
        self._members = [rest.Member(model, name, timeout_s=TIMEOUT_S) for name in names]
        self._session = requests.Session()
        self._session.trust_env = False
        self._lag = Lag()
        self._cluster = Eye("cluster", self._look_at_cluster, (old, False))
        self._promoted = Eye("promotion", self._look_at_new_leader, None)
        self._servers = Eye("load balancer", self._look_at_balancer, (old,))
        self._eyes = (self._cluster, self._promoted, self._servers)

    @property
    def leader(self):
        """Who holds the leader's key, as it was seen last; None for nobody."""
        return self._cluster.seen[-1][1][0]

    def start(self):
        """Begin to look."""
        for eye in self._eyes:
            eye.start()

    def stop(self):
        """Look no more.

        Returns:
            ``{leader: [(at, name or None)], followed: [at, ...], promoted: [(at, name)], servers: [(at, [names])],
            lag: [(at, {member: bytes})]}``, times monotonic; ``followed`` is since when the old leader was listed as
            following another one.
        """
        for eye in self._eyes:
            eye.stop()
        self._session.close()
        seen = self._cluster.seen
        return {
            "leader": [
                (at, now[0]) for number, (at, now) in enumerate(seen) if not number or seen[number - 1][1][0] != now[0]
            ],
            "followed": [at for at, now in seen if now[1]],
            "promoted": self._promoted.seen[1:],
            "servers": [(at, list(now)) for at, now in self._servers.seen],
            "lag": list(self._lag.samples),
        }

    def _look_at_cluster(self):
        try:
            cluster = view.table(self._members[0].get("/cluster"))
        except rest.RestError as err:
            self._members.append(self._members.pop(0))
            raise NothingSeen from err
        leader, members = cluster["leader"], cluster["members"]
        self._lag.add(
            time.monotonic(),
            {name: row["lag_bytes"] for name, row in members.items() if row["role"] not in view.LEADERS},
        )
        return leader, follows(members, leader, self._old)

    def _look_at_new_leader(self):
        leader = self.leader
        if leader in (None, self._old, self._promoted.seen[-1][1]):
            raise NothingSeen
        try:
            role = rest.Member(self._model, leader, timeout_s=TIMEOUT_S).status().get("role")
        except rest.RestError as err:
            raise NothingSeen from err
        if role not in WRITABLE:
            raise NothingSeen
        return leader

    def _look_at_balancer(self):
        node, ports = self._model["nodes"][self._balancer], self._model["haproxy"]["ports"]
        try:
            answer = self._session.get(
                f"https://{node['address']}:{ports['stats']}/stats;csv",
                cert=access.client(self._model), verify=access.CA, timeout=TIMEOUT_S,
            )  # fmt: skip
            answer.raise_for_status()
            return tuple(stats.up(stats.parse(answer.text), "leader"))
        except (OSError, ValueError) as err:  # requests' errors are such
            raise NothingSeen from err


def follows(members, leader, name):
    """Whether ``name`` is listed as a replica that streams from ``leader``, on its timeline. Pure.

    Args:
        members: see :func:`saltroni.patroni.view.members`.
    """
    row = members.get(name)
    if leader in (None, name) or leader not in members or row is None:
        return False
    return row["state"] == "streaming" and row["timeline"] == members[leader]["timeline"]


def phases(watched, old, fault_at):
    """Seconds from the fault to each turn of the failover. Pure.

    ``None`` for what wasn't seen: the key may be taken again between two looks, a leader that recovers in place keeps
    it, and a load balancer that never let go of a server doesn't find it again.

    Args:
        watched: see :meth:`Watch.stop`.
        old: who led before.
        fault_at: monotonic seconds.
    """
    leaders = watched["leader"]
    gone = next((at for at, leader in leaders if leader != old), None)
    taken = next((at for at, leader in leaders if leader not in (None, old)), None)
    promoted = next((at for at, leader in watched["promoted"] if leader != old), None)
    rejoined = None if gone is None else next((at for at in watched["followed"] if at > gone), None)
    found = {
        "leader_key_gone_s": gone,
        "new_leader_s": taken,
        "promoted_s": promoted,
        "balancer_up_s": _up_again(watched["servers"], old, fault_at),
        "old_leader_rejoined_s": rejoined,
    }
    return {name: None if at is None else round(at - fault_at, 3) for name, at in found.items()}


def _up_again(servers, old, fault_at):
    down = False
    for at, names in servers:
        if at >= fault_at and (set(names) - {old} or (names and down)):
            return at
        down = at >= fault_at and (down or not names)
    return None
