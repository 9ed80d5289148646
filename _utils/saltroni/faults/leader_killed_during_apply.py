"""The leader dies while every node applies its states, which must not get into Patroni's way."""

from saltroni.faults import Strike

SUMMARY = "state.apply on every node, and kill -9 of the leader's postmaster meanwhile"
STRIKES = (Strike("state_applied", "all nodes"), Strike("postmaster_killed", "leader"))


def cost(promise):
    """As of a crash."""
    return promise.crash()
