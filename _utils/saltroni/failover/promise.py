"""What the settings in force promise: how long each kind of fault may keep writes out, term by term. Pure.

A fault's file names its kind by calling one of the methods of :class:`Promise`. Terms have a least and a most, in
seconds. Where the figures come from: docs/failover-model.md.
"""

from dataclasses import dataclass

from saltroni.pillar.timings import release_s

#: From Patroni's notice of a crash to a writable new leader: release of the key, race, promotion.
HANDOVER_S = (0.2, 0.8)
#: A postmaster that dies while Patroni's round is asking it something, about one in fifteen: Patroni waits 0.1 s and up to
#: 0.8 s more by lot, asks again, and only then ends its round (postgresql/__init__.py, ``_is_leader_retry``; utils.py,
#: ``Retry``). Nothing can wake it meanwhile. Measured 1.10 s. Otherwise the lease guard's call is heard within 0.4 s.
ASK_AGAIN_S = 1.1
#: Connecting and the first commit through the load balancer, retries of the client included.
RECONNECT_S = (0.0, 0.4)
#: One statement that hangs or is made again on another connection, where nothing else happens to writes. Measured 0.41 s.
REPLACED_S = (0.0, 0.7)
#: One health check of HAProxy, over TLS.
CHECK_S = 0.2
#: A member that wants to lead asks the others for their position; a silent one costs this long (Patroni's ha.py,
#: ``fetch_node_status``: a fixed timeout of 2 s).
SILENT_PEER_S = (0.0, 2.1)
#: A planned hand-over: the old leader stops in good order, and Patroni, which finds it gone, gives its lease up
#: (salt/patroni/files/stop-first).
DEMOTE_S = (0.1, 0.8)
#: The same when Patroni itself ends and must close everything first.
LEAVE_S = (0.1, 1.2)
#: With backups PostgreSQL archives its last segment before it has ended. Patroni is told after a quarter of a second, and
#: sleeps a fixed second before it gives the lease up (ha.py, ``demote`` and ``shutdown``).
LAST_SEGMENT_S = (0.0, 1.3)
#: A restart waits for all of it: measured 3.7 s with two more segments that had waited.
ALL_ARCHIVED_S = (0.0, 4.0)
#: A new leader whose commits wait for standbys waits for the first that follows it: the old leader, once it is started
#: again, or the third member, which sleeps a fixed 2 s first (ha.py, after a manual failover). It is promoted meanwhile.
FOLLOW_S = (0.2, 2.2)
#: A client that gets no answer gives a statement up after this long (drill.writers).
STATEMENT_S = 2.0
CONNECT_S = 1.0
#: No machine boots quicker.
LEAST_BOOT_S = 1.0
#: PostgreSQL that recovers from a crash.
START_S = (0.3, 6.0)
#: A postmaster that lost a backend ends the other sessions (SIGQUIT) and replays what wasn't checkpointed: not faster.
RECOVERY_S = 0.1
#: systemd's pause before Patroni starts again (``RestartSec=`` in salt/patroni/files/saltroni.conf), and its start until
#: the REST API answers: Python, etcd, PostgreSQL's state.
AGENT_PAUSE_S = (1.0, 1.1)
AGENT_START_S = (0.3, 3.0)
#: A restart by Patroni: a checkpoint while writes go on, shutdown, start.
RESTART_S = (0.3, 4.0)
#: etcd's followers elect after 1 to 2 times its election timeout of 1 s (Raft), and Patroni asks the next member after
#: its own share of retry_timeout.
ELECTION_S = (0.0, 2.0)
#: PostgreSQL gives a silent standby up after ``wal_sender_timeout``; Patroni looks then and no longer waits for it: a question,
#: two writes to etcd, a reload.
SENDER_TIMEOUT_S = 10.0
GIVEN_UP_S = 0.4
#: A standby whose connection broke tries again after wal_retrieve_retry_interval (0.5 s), and must be let in.
CONNECT_AGAIN_S = 1.5
#: The same after a network that swallowed everything: TCP's pauses double, and after half a minute of silence the next try is
#: up to 16 s away (tcp(7), ``tcp_syn_retries``; measured: cut for 30 s, connected after 45.7 s). libpq's ``connect_timeout``
#: doesn't hold for a standby's connection.
SYN_AGAIN_S = 16.0
#: Where commits wait for a standby, a member must be voted for by one that runs (ha.py, ``_is_healthiest_node``; in
#: ``sync``, only the one that led may lead again while it had chosen no standby). When two of three have crashed, one of
#: them must be back: Patroni sleeps a fixed 2 s after it let the lease go (ha.py, ``demote``), then PostgreSQL starts.
VOTER_BACK_S = (0.0, 8.0)
#: Whoever lost the race may have followed the old leader once more, which came back with what nobody took: both are rewound
#: then (measured: 4.1 s until the first follows). In ``quorum``, Patroni counts none after so many looks and waits no more.
REWOUND_S = 5.0
LOOKS = 3
#: With backups, PostgreSQL asks the archive before it begins a timeline: a call of ``restore_command`` for each file, of
#: which one or two reach the storage (salt/backup/files/fetch gives the storage 2 s and its own program the rest).
ARCHIVE_S = (0.0, 2.0)


@dataclass(frozen=True)
class Cost:
    """What a fault may cost.

    Attributes:
        terms: ``(name, least, most)`` in seconds, in the order in which they pass.
        loses: whether acknowledged rows may be lost where commits wait for no standby (``async``).
    """

    terms: tuple
    loses: bool = False

    @property
    def least_s(self):
        """The least write outage, seconds."""
        return round(sum(least for _, least, _ in self.terms), 3)

    @property
    def most_s(self):
        """The most, seconds: the bound."""
        return round(sum(most for _, _, most in self.terms), 3)

    def told(self):
        """The same as a dict of plain values: ``{least_s, bound_s, terms: {name: most}, loses}``."""
        return {
            "least_s": self.least_s,
            "bound_s": self.most_s,
            "terms": {name: round(float(most), 3) for name, _, most in self.terms},
            "loses": self.loses,
        }


@dataclass(frozen=True)
class Promise:
    """The settings in force that a failover's length depends on, times in seconds."""

    ttl_s: float
    loop_wait_s: float
    retry_timeout_s: float
    primary_start_timeout_s: float
    downinter_s: float
    rise: int
    #: Longest time until HAProxy lets go of a leader that doesn't answer any more.
    release_s: float
    replication: str = "quorum"
    replicas: int = 2
    synchronous_nodes: int = 1
    #: The lease guard's parts, see :mod:`saltroni.guard`: it wakes Patroni; seconds after which a postmaster is frozen.
    guard_wakes: bool = False
    guard_frozen_s: float | None = None
    #: How long a machine may take to boot.
    boot_s: float = 60.0
    #: Whether members have a ``restore_command``.
    asks_archive: bool = False

    @classmethod
    def of(cls, model, config=None):
        """By the pillar's ``saltroni``, and Patroni's dynamic configuration ``config`` where that is known."""
        timings, proxy, guard = model["timings"], model["haproxy"], model["guard"]
        said = {**model.get("dcs", {}), **(config or {})}
        return cls(
            ttl_s=float(said.get("ttl", timings["ttl_s"])),
            loop_wait_s=float(said.get("loop_wait", timings["loop_wait_s"])),
            retry_timeout_s=float(said.get("retry_timeout", timings["retry_timeout_s"])),
            primary_start_timeout_s=float(said.get("primary_start_timeout", timings["primary_start_timeout_s"])),
            downinter_s=proxy["downinter_ms"] / 1000,
            rise=int(proxy["rise"]),
            release_s=release_s(proxy),
            replication=str(model["postgresql"]["replication"]),
            replicas=len(model["by_role"]["patroni"]) - 1,
            synchronous_nodes=int(said.get("synchronous_node_count", model["postgresql"]["synchronous_nodes"])),
            guard_wakes=guard["enabled"] and guard["wake"],
            guard_frozen_s=float(guard["connect_timeout_s"] + guard["for_s"])
            if guard["enabled"] and guard["connections"]
            else None,
            boot_s=float(model["drills"]["boot_s"]),
            asks_archive=bool(model.get("backup", {}).get("enabled")),
        )

    def synchronous(self):
        """Whether commits wait for a standby."""
        return self.replication != "async"

    def waits_for_standbys(self):
        """Whether a new leader's first commits wait for a standby that follows it; in ``sync``, it has chosen none yet."""
        return self.replication in ("quorum", "strict")

    def _promotion(self, name="promotion", least_s=0.0, most_s=HANDOVER_S[1]):
        """A member becomes the leader."""
        archive = (("the archive is asked", *ARCHIVE_S),) if self.asks_archive else ()
        return ((name, least_s, most_s), *archive)

    def _last_segment(self, takes_s=LAST_SEGMENT_S):
        """A leader that stops in good order."""
        return (("the last segment is archived", *takes_s),) if self.asks_archive else ()

    def _seen(self):
        """From promotion until a client's first commit."""
        return (
            ("health check", 0.0, self.rise * self.downinter_s + CHECK_S),
            ("reconnect", *RECONNECT_S),
        )

    def nothing(self):
        """Writes go on: no client notices more than one statement that hangs."""
        return Cost((("a connection is replaced", *REPLACED_S),))

    def hang(self):
        """Writes that wait for somebody who is gone, until that is noticed."""
        given_up_s = SENDER_TIMEOUT_S + self.loop_wait_s + GIVEN_UP_S
        return Cost((("standby is given up", 0.0, given_up_s), ("reconnect", *RECONNECT_S)))

    def standbys_lost(self, lost, lasts_s, boots=True):
        """Standbys are gone, the leader is well.

        With ``quorum``, any of those left acknowledge. With ``sync`` one was chosen, and it may be the one that is lost.
        With ``strict`` nobody may acknowledge when none is left: writes stop by design until one is back (Patroni's
        documentation, *Replication modes*, ``synchronous_mode_strict``).

        Args:
            lost: how many.
            lasts_s: how long they are gone.
            boots: whether they must boot then.
        """
        left = self.replicas - lost
        if not self.synchronous():
            return self.nothing()
        if self.replication == "strict" and left < 1:
            back = (
                (self._boot(), ("PostgreSQL starts", *START_S)) if boots else (("TCP tries again", 0.0, SYN_AGAIN_S),)
            )
            back += (("a standby connects", 0.0, CONNECT_AGAIN_S), ("reconnect", *RECONNECT_S))
            return self.lasting(lasts_s, Cost(back))
        if self.replication in ("quorum", "strict") and left >= self.synchronous_nodes:
            return self.nothing()
        return self.hang()

    def detection_s(self):
        """Longest time until Patroni looks at a postmaster that died."""
        return ASK_AGAIN_S if self.guard_wakes else max(self.loop_wait_s, ASK_AGAIN_S)

    def crash(self):
        """The leader's PostgreSQL is gone and its Patroni sees it."""
        return Cost(
            (
                ("detection", 0.0, self.detection_s()),
                *self._in_place(),
                *self._promotion("lease and promotion", HANDOVER_S[0]),
                *self._seen(),
            ),
            loses=True,
        )

    def _in_place(self):
        if not self.primary_start_timeout_s:
            return ()
        return (("recovery in place", 0.0, self.primary_start_timeout_s),)

    def crash_twice(self):
        """Whoever takes over crashes right after, while the first one is on its way back."""
        first, then = self.crash(), self.crash()
        again = tuple((f"second {name}", least, most) for name, least, most in then.terms)
        voter = (("a crashed member is back to vote", *VOTER_BACK_S),) if self.synchronous() else ()
        return Cost((*first.terms, *voter, *again), loses=True)

    def crash_without_etcd_leader(self):
        """A crash while etcd elects its own leader. A member may hear of the new leader late, too (etcd3.py, ``_wait_cache``)."""
        first = self.crash()
        asked = ("etcd's next member is asked", 0.0, self.retry_timeout_s)
        late_s = {"strict": self.retry_timeout_s + REWOUND_S, "quorum": LOOKS * self.loop_wait_s}.get(self.replication)
        standby = (("a first standby", 0.0, late_s),) if late_s else ()
        return Cost((("etcd elects", *ELECTION_S), asked, *first.terms, *standby), loses=True)

    def sessions_lost(self):
        """The postmaster ends all sessions and recovers in place; if that takes long, Patroni fails over.

        Patroni asks for half a ``retry_timeout`` in vain (postgresql/__init__.py, ``_retry``), and at its next look
        takes a leader that still starts for crashed (ha.py, ``handle_starting_instance``).
        """
        return Cost(
            (
                ("detection", RECOVERY_S, self.loop_wait_s),
                ("Patroni's retries", 0.0, self.retry_timeout_s / 2),
                ("next look", 0.0, self.loop_wait_s),
                *self._in_place(),
                *self._promotion("lease and promotion"),
                *self._seen(),
            ),
            loses=True,
        )

    def no_new_sessions(self, lasts_s):
        """The leader takes no new sessions, and its Patroni doesn't see it: it lasts until the fault ends, or until the
        lease guard has seen enough and makes a crash of it."""
        if self.guard_frozen_s is None:
            return self.lasting(lasts_s)
        return Cost((("frozen postmaster", 0.0, self.guard_frozen_s), *self.crash().terms), loses=True)

    def agent_restarts(self):
        """Patroni is away and comes back; PostgreSQL runs on, but HAProxy lets go of what it can't ask."""
        return Cost((("systemd's pause", *AGENT_PAUSE_S), ("Patroni starts", *AGENT_START_S), *self._seen()))

    def restart(self):
        """Patroni restarts the leader's PostgreSQL, planned."""
        return Cost((("PostgreSQL restarts", *RESTART_S), *self._last_segment(ALL_ARCHIVED_S), *self._seen()))

    def in_place(self):
        """The leader's PostgreSQL restarts and stays leader."""
        return Cost((("detection", 0.0, self.detection_s()), ("PostgreSQL starts", *START_S), *self._seen()))

    def lease_end(self, silent=True):
        """Nobody gives the leader's lease back: it must end by itself."""
        asked = (("silent member", *SILENT_PEER_S),) if silent else ()
        # whoever isn't the healthiest may look once more just before another leads, and asks the silent one again
        again = (("a first standby", *SILENT_PEER_S),) if silent and self.waits_for_standbys() else ()
        return Cost(
            (
                ("lease", 0.0, self.ttl_s),
                ("detection", 0.0, self.loop_wait_s),
                *asked,
                *self._promotion(),
                *again,
                *self._seen(),
            ),
            loses=True,
        )

    def planned(self):
        """A switchover."""
        follows = self._promotion("promotion and a first standby", *FOLLOW_S)
        taken = follows if self.waits_for_standbys() else self._promotion()
        return Cost((("demotion", *DEMOTE_S), *self._last_segment(), *taken, *self._seen()))

    def left_in_order(self):
        """The leader's Patroni leaves in good order and is started again: the others may ask it in the moment of its start."""
        left = (("demotion", *LEAVE_S), *self._last_segment(), ("silent member", *SILENT_PEER_S))
        return Cost((*left, *self._promotion(), *self._seen()))

    def proxy_lost(self):
        """The load balancer is gone: a client notices by its own deadlines and goes to another."""
        return Cost(
            (
                ("statement's deadline", 0.0, STATEMENT_S),
                ("connect's deadline", 0.0, CONNECT_S),
                ("reconnect", *RECONNECT_S),
            )
        )

    def lasting(self, lasts_s, then=None):
        """Writes can't go on while the fault lasts.

        Args:
            lasts_s: how long it does.
            then: :class:`Cost` of what follows.
        """
        after = then.terms if then else self._seen()
        return Cost((("fault", 0.0, float(lasts_s)), *after), loses=bool(then and then.loses))

    def _boot(self):
        return ("boot", LEAST_BOOT_S, self.boot_s)

    def power(self):
        """Machines boot again, and the one that led goes on: its lease is its own, and runs beside the boot."""
        follow = (("a standby connects", 0.0, CONNECT_AGAIN_S),) if self.synchronous() else ()
        return Cost(
            (
                self._boot(),
                ("Patroni starts", *AGENT_START_S),
                ("PostgreSQL starts", *START_S),
                *self._promotion(),
                *follow,
                *self._seen(),
            )
        )
