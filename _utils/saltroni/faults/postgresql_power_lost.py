"""All PostgreSQL nodes lose power at the same moment, as in one rack, and boot again. etcd goes on."""

from saltroni.faults import Strike

SUMMARY = "all PostgreSQL nodes reboot at once"
STRIKES = (Strike("node_rebooted", "all PostgreSQL nodes"),)


def cost(promise):
    """All boot and recover; the lease may have to end, if its owner is the slowest."""
    return promise.power()
