"""This node's Patroni: is it a whole member yet, and do the cluster-wide settings agree with the pillar?"""

import os
import time
from pathlib import Path

from saltroni import wait
from saltroni.etcd import membership
from saltroni.patroni import rest

#: What our own commands of PostgreSQL begin with.
OURS = "/usr/local/lib/saltroni/"


def standing(status, cluster):
    """What a member is, and whether that is good enough to go on. Pure.

    Args:
        status: the member's ``/patroni``.
        cluster: ``/cluster``, or None.

    Returns:
        ``(whole, sentence)``
    """
    state, role = status.get("state"), status.get("role")
    if state != "running" and not (role == "replica" and state == "streaming"):
        return False, f"PostgreSQL is {state}"
    if role in ("primary", "master", "leader", "standby_leader"):
        return True, "it is the leader"
    leader = rest.leader(cluster or {"members": []})
    if leader is None:
        return False, "it waits for a leader"
    ahead = next(member for member in cluster["members"] if member["name"] == leader)
    if status.get("timeline") != ahead.get("timeline"):
        return False, f"it is on timeline {status.get('timeline')}, the leader {leader} on {ahead.get('timeline')}"
    if status.get("replication_state") != "streaming":
        return False, f"it doesn't stream from {leader} yet"
    return True, f"it follows {leader}"


def look(model):
    """:func:`standing` of this node, asked now."""
    own = rest.Member(model, model["self"]["name"])
    try:
        status = own.status()
    except rest.RestError:
        return False, "Patroni doesn't answer yet"
    try:
        cluster = own.get("/cluster")
    except rest.RestError:
        cluster = None
    return standing(status, cluster)


def orphaned_wal(folders):
    """The folder of WAL whose data directory is gone, else None: PostgreSQL wouldn't be copied to where it must go.

    Whatever makes a data directory links it to its WAL before the first file of WAL is there.
    """
    wal = folders["wal"]
    if not wal or os.path.lexists(f"{folders['data']}/pg_wal"):
        return None
    try:
        return wal if any(Path(wal).iterdir()) else None
    except FileNotFoundError:
        return None


def etcd_silent(model):
    """Members of etcd whose port for clients is dead, if they are so many that no quorum can be; else none."""
    return membership.silent(model, model["etcd"]["client_port"])


def wait_whole(model, deadline_s):
    """Wait until this node is a whole member.

    Returns:
        ``(whole, sentence, waited_s)``; not whole is no failure while ``etcd_silent`` names somebody.
    """
    start = time.monotonic()

    def answer():
        whole, sentence = look(model)
        waited_s = time.monotonic() - start
        if not whole and (waited_s < 15 or not etcd_silent(model)):
            raise wait.NotYet(sentence)
        return whole, sentence, round(waited_s, 1)

    try:
        return wait.until(answer, "this node to be a whole member", deadline_s)
    except wait.DeadlineError as err:
        return False, str(err), round(time.monotonic() - start, 1)


def agreed(model, deadline_s):
    """The cluster-wide settings; a cluster that was founded a moment ago has none yet.

    Raises:
        DeadlineError: no member answers with them.
    """

    def answer():
        try:
            return rest.ask_any(model, "/config")
        except rest.RestError as err:
            raise wait.NotYet(str(err)) from err

    return wait.until(answer, "the cluster-wide settings", deadline_s)


def taken(model, deadline_s):
    """Wait until members say what the pillar says: each answers by what it last read, up to ``loop_wait`` ago.

    Args:
        deadline_s: seconds until it gives up.

    Raises:
        DeadlineError: they don't; the text says what is left.
    """

    def looked():
        left = differences(model["dcs"], agreed(model, deadline_s))
        if left:
            raise wait.NotYet(f"left is {left}")

    wait.until(looked, "Patroni to take the cluster-wide settings", deadline_s)


def differences(wanted, actual):
    """What must be sent to ``PATCH /config`` so that ``actual`` says what ``wanted`` says. Pure.

    Keys that only ``actual`` has stay, but parameters of PostgreSQL that only it has are dropped: the pillar is where
    they come from. So are settings for recovery if they are ours: a node made later would lack the program that they call.
    """
    patch = {}
    for key, value in wanted.items():
        present = actual.get(key)
        if isinstance(value, dict):
            inner = differences(value, present if isinstance(present, dict) else {})
            if key == "parameters":
                inner.update({name: None for name in (present or {}) if name not in value})
            if (
                key == "postgresql"
                and "recovery_conf" not in value
                and OURS in str((present or {}).get("recovery_conf"))
            ):
                inner["recovery_conf"] = None
            if inner:
                patch[key] = inner
        elif str(present) != str(value) or (type(present) is not type(value) and isinstance(value, bool)):
            patch[key] = value
    return patch
