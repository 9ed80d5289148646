"""The node is cut off from everyone: its cable is out, or a switch is dead. Everything on it runs on."""

from saltroni.faults import lease, nft

SUMMARY = "the network of the whole node is cut, both ways"
ROLE = None
TAKES_NODE = True
NEEDS = nft.NEEDS

_CUT = nft.Cut(__name__, lambda model: nft.EVERYTHING, later=True)
inject, heal, active, unable = _CUT.inject, _CUT.heal, _CUT.active, _CUT.unable
lasts_s, visible_after_s = lease.outlasts_s, lease.over_s


def cost(promise):
    """The lease must end: the leader can't give it back."""
    return promise.lease_end()
