"""The leader dies while etcd elects a leader of its own: the lease can't be given back until it has one."""

from saltroni.faults import Strike

SUMMARY = "kill -9 of the leader's postmaster and of etcd's leader"
STRIKES = (Strike("etcd_leader_lost", "the etcd leader"), Strike("postmaster_killed", "leader"))


def cost(promise):
    """A crash, and what etcd takes to answer again."""
    return promise.crash_without_etcd_leader()
