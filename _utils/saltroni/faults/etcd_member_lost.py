"""One member of etcd is gone for a while; the two others are a majority."""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of one member of etcd that doesn't lead, kept down"
NAME = "etcd_member_lost"
ROLE = "etcd"
AIM = "an etcd follower"
LASTS_S = 30

# the healer's timer lets it start again
inject, heal, active = kept_down.etcd(NAME)


def cost(promise):
    """Patroni asks another member."""
    return promise.nothing()
