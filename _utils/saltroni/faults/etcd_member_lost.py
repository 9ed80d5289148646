"""One member of etcd is gone for a while; the two others are a majority."""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of one member of etcd that doesn't lead, kept down"
NAME = "etcd_member_lost"
ROLE = "etcd"
AIM = "an etcd follower"
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
    """Patroni asks another member."""
    return promise.nothing()
