"""Patroni's ``/cluster`` and ``/history`` as tables.

Source: Patroni's documentation, *Patroni REST API*, "Monitoring endpoint".
"""

from saltroni.patroni import rest

LEADERS = ("leader", "standby_leader")
#: Roles of members that confirm commits, by ``synchronous_mode``.
SYNCHRONOUS = ("sync_standby", "quorum_standby")
#: The tag by which a node tells that its data are no part of the leader's history, see :mod:`saltroni.lineage.hold`.
HELD = "saltroni_held"


def members(cluster):
    """``{name: {role, state, timeline, lag_bytes, ...}}``; ``lag_bytes`` is None where nobody knows it."""
    found = {}
    for member in cluster.get("members", []):
        lag = member.get("replay_lag", member.get("lag"))
        row = {
            "role": member.get("role"),
            "state": member.get("state"),
            "timeline": member.get("timeline"),
            "lag_bytes": lag if isinstance(lag, int) else (0 if member.get("role") in LEADERS else None),
            "host": member.get("host"),
        }
        if member.get("pending_restart"):
            row["pending_restart"] = True
        if member.get("tags"):
            row["tags"] = member["tags"]
        found[member["name"]] = row
    return found


def table(cluster):
    """The cluster on one screen: ``{scope, leader, paused, members}``."""
    return {
        "scope": cluster.get("scope"),
        "leader": rest.leader(cluster),
        "paused": bool(cluster.get("pause")),
        "members": members(cluster),
    }


def held(*words):
    """Why a member holds itself out of elections, None if it doesn't.

    Args:
        words: what it says of itself, and what others say of it; each may be None.
    """
    for said in words:
        tags = (said or {}).get("tags") or {}
        if HELD in tags:
            return tags[HELD]
    return None


def history(lines):
    """``/history`` as dicts: the timeline that ended, where, why, when, and who led afterwards."""
    keys = ("timeline", "lsn", "reason", "time", "new_leader")
    return [dict(zip(keys, list(line) + [None] * (len(keys) - len(line)), strict=False)) for line in lines]
