"""Everything loses power at the same moment and boots again, but for the master and the node that does the drill."""

from saltroni.faults import Strike

SUMMARY = "all nodes but the master and the observer reboot at once"
STRIKES = (Strike("node_rebooted", "all nodes but the observer"),)


def cost(promise):
    """As for PostgreSQL's nodes; etcd and the load balancers are back sooner than PostgreSQL."""
    return promise.power()
