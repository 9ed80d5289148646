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

# the healer's timer lets it start again
inject, heal, active = kept_down.etcd(NAME)


def cost(promise):
    """The leader must stay."""
    return promise.nothing()
