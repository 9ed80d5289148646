"""etcd has no quorum for longer than the lease: nothing can be renewed.

With failsafe_mode the leader stays leader as long as every member of the cluster answers it by REST.

Source: Patroni's documentation, *DCS Failsafe Mode*.
"""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of most of etcd, kept down: no quorum"
NAME = "etcd_quorum_lost"
ROLE = "etcd"
AIM = "most of etcd"
LASTS_S = 60


def inject(target, deadline_s):
    """Kill this node's etcd; the healer's timer lets it start again after ``deadline_s`` seconds."""
    del target
    return kept_down.make(NAME, kept_down.ETCD, deadline_s)


def heal(target):
    """Let etcd start again."""
    del target
    return kept_down.lift(NAME, kept_down.ETCD)


def active(target):
    """Whether etcd is kept down."""
    del target
    return kept_down.active(NAME, kept_down.ETCD)


def cost(promise):
    """The leader must stay."""
    return promise.nothing()
