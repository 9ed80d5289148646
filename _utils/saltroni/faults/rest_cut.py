"""Only Patroni's REST API of the node is unreachable. The leader keeps its lease, and no load balancer finds it.

Who may write is told by the REST API alone: a load balancer that gets no answer must let go of a leader that may be
frozen. So writes stop until it answers again; nobody fails over, as for etcd and the other members nothing is wrong.
"""

from saltroni.faults import nft

SUMMARY = "the node's Patroni REST API is unreachable, everything else goes on"
NEEDS = nft.NEEDS
#: Longer than a load balancer needs to let go.
LASTS_S = 20.0

_CUT = nft.Cut(
    __name__, lambda model: nft.own(nft.others(model, "haproxy", "patroni"), model["patroni"]["port"])
)  # fmt: skip
inject, heal, active, unable = _CUT.inject, _CUT.heal, _CUT.active, _CUT.unable


def cost(promise):
    """Writes stop while it lasts, once the load balancers have let go."""
    return promise.lasting(LASTS_S)
