"""Whether a cluster is whole again, by what every member has really replayed.

``streaming`` in Patroni's list is no proof. A marker row is written through the load balancer after the fault; a
member follows when that row, and all the others of the drill, can be read on it.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from saltroni.drill import database, ledger
from saltroni.patroni import rest, view
from saltroni.wait import DeadlineError, NotYet, until

#: A writer's number that no writer has.
MARKER = -1
SLOTS = """
SELECT slot_name::text, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots"""


def slot(member):
    """Patroni's replication slot for a member. Source: Patroni, ``slot_name_from_member_name``."""
    return member.lower().replace("-", "_").replace(".", "_")[:64]


def mark(ways, drill, deadline_s):
    """Write the marker row through the first load balancer of ``ways`` that takes it.

    Raises:
        DeadlineError: it could not be written in time.
    """
    row = (drill, MARKER, 0, ledger.digest(drill, MARKER, 0))

    def write():
        failures = []
        for where in ways:
            try:
                return database.ask(where, ledger.INSERT, row)
            except database.DatabaseError as err:
                failures.append(str(err))
        raise NotYet("; ".join(failures))

    until(write, f"a marker row to be written through {' or '.join(where['host'] for where in ways)}", deadline_s)


def _member(model, name, drill):
    """What one member says of itself and of the drill's rows."""
    try:
        status = rest.Member(model, name).status()
        where = database.member(model, name)
        marker = "SELECT count(*) FROM ledger WHERE drill = %s AND writer = %s"
        seen = database.ask(where, marker, (drill, MARKER))[0][0]
        rows, checksum = database.ask(where, ledger.DIGEST, (drill,))[0]
        past = database.ask(where, "SELECT saltroni_history()")[0][0]
    except (rest.RestError, database.DatabaseError) as err:
        return {"error": str(err)}
    return {
        "state": status.get("state"),
        "timeline": status.get("timeline"),
        "marker": seen > 0,
        "rows": rows,
        "digest": checksum,
        "history": past,
        "held": view.held(status),
    }


def lacking(leader, members, slots, lag_bytes=0):
    """What still lacks, as sentences. Pure.

    Args:
        leader: the leader's name, or None.
        members: ``{name: {state, timeline, marker, rows, digest, history, held}}`` or ``{name: {"error": why}}``.
        slots: ``{slot: (is it in use, bytes of the log that it keeps, None if it keeps nothing)}`` on the leader.
        lag_bytes: how far a slot may be behind the leader.
    """
    if leader is None or "error" in members.get(leader, {"error": ""}):
        return [f"no leader that answers ({leader}: {members.get(leader, {}).get('error', 'nobody leads')})"]
    ahead = members[leader]
    missing = []
    for name, said in sorted(members.items()):
        if "error" in said:
            missing.append(f"{name} can't be asked: {said['error']}")
        elif said["state"] not in ("running", "streaming"):
            missing.append(f"PostgreSQL of {name} is {said['state']}")
        elif said["timeline"] != ahead["timeline"]:
            missing.append(f"{name} is on timeline {said['timeline']}, the leader on {ahead['timeline']}")
        elif said["held"]:
            missing.append(f"{name} is held out of elections: {said['held']}")
        elif not said["marker"]:
            missing.append(f"{name} hasn't replayed the marker row")
        elif (said["rows"], said["digest"]) != (ahead["rows"], ahead["digest"]):
            missing.append(f"{name} has other rows than the leader ({said['rows']} and {ahead['rows']})")
        elif said["history"] != ahead["history"]:
            missing.append(f"{name} has another history of timeline {said['timeline']} than the leader")
        elif name != leader:
            missing += _slot(name, slots, lag_bytes)
    return missing


def _slot(name, slots, lag_bytes):
    if slot(name) not in slots:
        return [f"the leader's replication slot for {name} is missing"]
    active, kept = slots[slot(name)]
    if not active:
        return [f"the leader's replication slot for {name} is idle"]
    if kept is None or kept > lag_bytes:
        return [f"the leader's replication slot for {name} is {kept} bytes behind"]
    return []


def look(model, drill):
    """:func:`lacking` now, with what it rests on: ``(sentences, leader, members)``."""
    try:
        leader = rest.leader(rest.ask_any(model, "/cluster"))
    except rest.RestError as err:
        return [str(err)], None, {}
    names = model["by_role"]["patroni"]
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        members = dict(zip(names, pool.map(lambda name: _member(model, name, drill), names), strict=True))
    slots = {}
    if leader in names and "error" not in members[leader]:
        try:
            found = database.ask(database.member(model, leader), SLOTS)
            slots = {name: (active, kept) for name, active, kept in found}
        except database.DatabaseError as err:
            return [str(err)], leader, members
    lag_bytes = model["timings"]["maximum_lag_on_failover_bytes"]
    return lacking(leader, members, slots, lag_bytes), leader, members


def wait(model, ways, drill, deadline_s, clock=time.monotonic):
    """Wait until the cluster is whole.

    Args:
        model: the pillar's ``saltroni``.
        ways: connection parameters through each load balancer.
        drill: the drill's id.
        deadline_s: seconds until it gives up.

    Returns:
        ``{missing, leader, timeline, at}``: ``missing`` are the sentences left when the deadline passed, ``at`` is the
        moment (monotonic) when it was whole, or None.
    """
    end = clock() + deadline_s
    try:
        mark(ways, drill, deadline_s)
    except DeadlineError as err:
        return {"missing": [str(err)], "leader": None, "timeline": None, "at": None}
    latest = {}

    def nothing_lacks():
        missing, leader, members = look(model, drill)
        timeline = members.get(leader, {}).get("timeline")
        latest.update(missing=missing, leader=leader, timeline=timeline, at=None)
        if missing:
            raise NotYet("; ".join(missing))
        latest["at"] = clock()

    try:
        until(nothing_lacks, "the cluster to be whole", max(1.0, end - clock()), every_s=0.25)
    except DeadlineError:
        return latest
    return latest
