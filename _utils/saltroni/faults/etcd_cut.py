"""Only the way to etcd is cut. Patroni's failsafe mode keeps the leader where it is while it reaches all other members.

Source: Patroni's documentation, *DCS Failsafe Mode*.
"""

from saltroni.faults import lease, nft

SUMMARY = "the way from the node to etcd is cut, everything else goes on"
NEEDS = nft.NEEDS


def _etcd(model):
    """Also etcd's member on this node, if there is one."""
    addresses = [model["nodes"][name]["address"] for name in model["by_role"]["etcd"]]
    return nft.towards(addresses, model["etcd"]["client_port"])


_CUT = nft.Cut(__name__, _etcd)
inject, heal, active, unable = _CUT.inject, _CUT.heal, _CUT.active, _CUT.unable
# so long that the others are tempted to take over, and see that the leader is alive
lasts_s = lease.outlasts_s


def cost(promise):
    """The leader stays: the other members see that it is alive."""
    return promise.nothing()
