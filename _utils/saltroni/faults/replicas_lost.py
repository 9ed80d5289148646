"""All replicas' nodes lose power for a while; the leader is alone, with etcd in reach."""

from saltroni.faults import Strike, lease

SUMMARY = "all replicas' nodes lose power for a while"
STRIKES = (Strike("node_lost", "all replicas"),)


def cost(promise):
    """Where commits waited for them, until they are given up; ``strict`` never gives them up."""
    return promise.standbys_lost(promise.replicas, lease.held_s(promise.ttl_s, promise.loop_wait_s))
