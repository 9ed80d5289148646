"""A replica's node loses power for a while; the leader must not mind."""

from saltroni.faults import Strike, lease

SUMMARY = "a replica's node loses power for a while"
STRIKES = (Strike("node_lost", "a replica"),)


def cost(promise):
    """Where commits waited for just that one, until it is given up."""
    return promise.standbys_lost(1, lease.held_s(promise.ttl_s, promise.loop_wait_s))
