"""The load balancer that is written through loses power for a while; clients know the others."""

from saltroni.faults import Strike

SUMMARY = "the node of the load balancer in use loses power for a while"
STRIKES = (Strike("node_lost", "the load balancer"),)


def cost(promise):
    """Clients go to another by their own deadlines."""
    return promise.proxy_lost()
