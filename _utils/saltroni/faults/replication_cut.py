"""Only PostgreSQL's way between the node and the other members is cut: no replica of it gets a row any more.

Patroni's members go on talking to each other and to etcd, so nobody fails over. The leader's commits wait for standbys
that don't answer until PostgreSQL gives the connections up (``wal_sender_timeout``) and Patroni takes them out of
``synchronous_standby_names``.
"""

from saltroni.faults import nft

SUMMARY = "the replication links of the node are cut, everything else goes on"
NEEDS = nft.NEEDS
#: Longer than PostgreSQL and Patroni need to give the standbys up, and to write on without them.
LASTS_S = 30.0


def _links(model):
    members, port = nft.others(model, "patroni"), model["postgresql"]["port"]
    return nft.both(nft.own(members, port), nft.towards(members, port))


_CUT = nft.Cut(__name__, _links)
inject, heal, active, unable = _CUT.inject, _CUT.heal, _CUT.active, _CUT.unable


def cost(promise):
    """As if all replicas were lost."""
    return promise.standbys_lost(promise.replicas, LASTS_S, boots=False)
