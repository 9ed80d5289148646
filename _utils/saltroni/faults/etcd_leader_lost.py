"""etcd's own leader is gone for a while: the others elect one, within about its election timeout."""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of etcd's own leader, kept down"
NAME = "etcd_leader_lost"
ROLE = "etcd"
AIM = "the etcd leader"
LASTS_S = 30


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
    """PostgreSQL doesn't wait for etcd, and the lease is longer than an election."""
    return promise.nothing()
