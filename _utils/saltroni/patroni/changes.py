"""Changes that a person asks Patroni for: each is done, waited for and checked.

Source: Patroni's documentation, *Patroni REST API*, "Switchover and failover endpoints", "Restart endpoint",
"Reinitialize endpoint", and *Pause/Resume mode for the cluster*.
"""

import subprocess
import time

from saltroni.patroni import rest, view
from saltroni.pillar import told
from saltroni.wait import DeadlineError, NotYet, until


class Refused(RuntimeError):
    """The change makes no sense or can't be asked for here; the text says what to do."""


def _may_change(model):
    if not model.get("secrets", {}).get("restapi"):
        raise Refused(
            f"{model['self']['name']} has no password for changes by Patroni's REST API: "
            f"run this on {told.names(model, 'patroni')}"
        )


def _known(model, member):
    if member not in model["by_role"]["patroni"]:
        raise Refused(f"{member} is no PostgreSQL node of {model['cluster']}: say {told.names(model, 'patroni')}")


def _cluster(model):
    try:
        return view.table(rest.ask_any(model, "/cluster"))
    except rest.RestError as err:
        raise NotYet(str(err)) from err


def switchover(model, candidate=None, timeout_s=60):
    """Hand leadership over, and wait until the new leader leads.

    Args:
        model: the pillar's ``saltroni``.
        candidate: who shall lead; without it Patroni chooses.
        timeout_s: seconds until it gives up waiting.

    Returns:
        ``{old_leader, new_leader, timeline, took_s}``

    Raises:
        Refused, rest.RestError, DeadlineError
    """
    _may_change(model)
    if candidate:
        _known(model, candidate)
    before = view.table(rest.ask_any(model, "/cluster"))
    old = before["leader"]
    if old is None:
        raise Refused("the cluster has no leader: there is nothing to hand over, see patroni.health")
    if old == candidate:
        raise Refused(f"{candidate} leads already")
    old_timeline = before["members"][old]["timeline"] or 0
    body = {"leader": old}
    if candidate:
        body["candidate"] = candidate
    begun = time.monotonic()
    rest.Member(model, old).change("POST", "/switchover", body, timeout_s=timeout_s)
    left_s = max(1.0, timeout_s - (time.monotonic() - begun))
    new, timeline = _new_leader(old, old_timeline, model, left_s)
    if candidate and new != candidate:
        raise Refused(f"asked for {candidate}, but {new} leads now: see patroni.health for what ails {candidate}")
    return {"old_leader": old, "new_leader": new, "timeline": timeline, "took_s": round(time.monotonic() - begun, 2)}


def _new_leader(old, old_timeline, model, timeout_s):
    """Wait until somebody else is promoted: ``(name, timeline)``."""

    def led():
        now = _cluster(model)
        new = now["leader"]
        if new in (None, old):
            raise NotYet(f"the leader is still {new}")
        status = rest.Member(model, new).status()
        # it holds the lease before it is promoted: only a later timeline is proof
        if status.get("role") == "replica" or not (status.get("timeline") or 0) > old_timeline:
            raise NotYet(f"{new} holds the lease and is {status.get('role')} on timeline {status.get('timeline')}")
        return new, status["timeline"]

    def checked():
        try:
            return led()
        except rest.RestError as err:
            raise NotYet(str(err)) from err

    return until(checked, f"a leader other than {old}", timeout_s, every_s=0.2)


def checkpoint(timeout_s):
    """Write a checkpoint on this node, so that the one at a shutdown is short.

    Raises:
        Refused: it failed.
    """
    _run(
        "runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--command=CHECKPOINT", timeout_s=timeout_s
    )


def _run(*command, timeout_s):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Refused(f"{command[0]}: {err}") from err
    if done.returncode:
        raise Refused(f"{' '.join(command)}: {done.stderr.strip()}")


def restart(model, member=None, timeout_s=120, only_pending=False):
    """Restart PostgreSQL on one member; Patroni keeps the lease meanwhile.

    Args:
        model: the pillar's ``saltroni``.
        member: whose; this node's own without it.
        timeout_s: seconds that the restart may take.
        only_pending: do nothing where no setting waits for a restart.

    Returns:
        ``{member, answer, pending_restart}``

    Raises:
        Refused, rest.RestError, DeadlineError
    """
    member = member or model["self"]["name"]
    _known(model, member)
    _may_change(model)
    asked = rest.Member(model, member)
    if only_pending and not asked.status().get("pending_restart"):
        return {"member": member, "answer": "nothing waits for a restart", "pending_restart": False}
    answer = asked.change("POST", "/restart", {}, timeout_s=timeout_s)

    def running():
        try:
            status = asked.status()
        except rest.RestError as err:
            raise NotYet(str(err)) from err
        if status.get("state") not in ("running", "streaming"):
            raise NotYet(f"it is {status.get('state')}")
        return status

    status = until(running, f"PostgreSQL on {member} to run", timeout_s)
    return {"member": member, "answer": answer, "pending_restart": bool(status.get("pending_restart"))}


#: A copy that hasn't begun within this time (seconds) won't: Patroni begins one in its next loop.
BEGINS_WITHIN_S = 30


def reinitialize(model, member, timeout_s=600):
    """Throw a replica's data away and copy it anew from the leader.

    Args:
        model: the pillar's ``saltroni``.
        member: the replica.
        timeout_s: seconds that the copy may take.

    Returns:
        ``{member, answer, timeline, took_s}``

    Raises:
        Refused: the member leads.
        rest.RestError, DeadlineError
    """
    _known(model, member)
    _may_change(model)
    if view.table(rest.ask_any(model, "/cluster"))["leader"] == member:
        raise Refused(f"{member} leads: its data is the cluster's. Hand over first, by patroni.switchover")
    begun = time.monotonic()
    answer = rest.Member(model, member).change("POST", "/reinitialize", {"force": True})

    def state():
        return _cluster(model)["members"].get(member, {})

    def left():
        if state().get("state") in ("streaming", "running"):
            raise NotYet("it still runs with its old data")

    def streams():
        now = _cluster(model)
        row, leader = now["members"].get(member, {}), now["members"].get(now["leader"] or "", {})
        if row.get("state") != "streaming" or row.get("timeline") != leader.get("timeline"):
            raise NotYet(f"{member} is {row.get('state')} on timeline {row.get('timeline')}")
        if view.held(row):
            raise NotYet(f"{member} is still held out of elections: {view.held(row)}")
        return row["timeline"]

    until(left, f"{member} to begin", min(BEGINS_WITHIN_S, timeout_s), every_s=0.1)
    timeline = until(streams, f"{member} to stream from the leader", timeout_s)
    return {"member": member, "answer": answer, "timeline": timeline, "took_s": round(time.monotonic() - begun, 1)}


def pause(model, paused, timeout_s=60):
    """Switch automatic failover off (``paused``) or on, and wait until every member knows.

    Returns:
        ``{paused, members}``

    Raises:
        Refused, rest.RestError, DeadlineError
    """
    _may_change(model)
    seen = view.table(rest.ask_any(model, "/cluster"))
    known = seen["members"]
    first = seen["leader"] or sorted(known)[0]
    rest.Member(model, first).configure({"pause": True if paused else None}, timeout_s)

    def all_know():
        for name in known:
            try:
                answer = bool(rest.Member(model, name).status().get("pause"))
            except rest.RestError as err:
                raise NotYet(str(err)) from err
            if answer != paused:
                raise NotYet(f"{name} doesn't know yet")

    until(all_know, f"every member to {'pause' if paused else 'resume'}", timeout_s)
    return {"paused": paused, "members": sorted(known)}


__all__ = ["DeadlineError", "Refused", "pause", "reinitialize", "restart", "switchover"]
