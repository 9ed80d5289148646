"""etcd's own leader is gone for a while: the others elect one, within about its election timeout."""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of etcd's own leader, kept down"
NAME = "etcd_leader_lost"
ROLE = "etcd"
AIM = "the etcd leader"
LASTS_S = 30

# the healer's timer lets it start again
inject, heal, active = kept_down.etcd(NAME)


def cost(promise):
    """PostgreSQL doesn't wait for etcd, and the lease is longer than an election."""
    return promise.nothing()
