"""All of etcd is gone for longer than the lease. As with a lost quorum, failsafe_mode keeps the leader.

Source: Patroni's documentation, *DCS Failsafe Mode*.
"""

from saltroni.faults import kept_down

SUMMARY = "kill -9 of every member of etcd, kept down"
NAME = "etcd_lost"
ROLE = "etcd"
AIM = "all of etcd"
LASTS_S = 60

# the healer's timer lets it start again
inject, heal, active = kept_down.etcd(NAME)


def cost(promise):
    """The leader must stay."""
    return promise.nothing()
