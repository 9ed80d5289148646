"""The node of a standby that commits wait for loses power for a while, under load."""

from saltroni.faults import Strike, lease

SUMMARY = "a sync standby's node loses power for a while"
STRIKES = (Strike("node_lost", "a sync standby"),)


def cost(promise):
    """Where commits waited for just that one, until it is given up."""
    return promise.standbys_lost(1, lease.held_s(promise.ttl_s, promise.loop_wait_s))
