"""Whether a restored cluster is whole: a row goes through the load balancer, and every member has it.

Where drills are allowed that is what a drill asks, too (:mod:`saltroni.drill.whole`). Elsewhere an application's account
writes nothing but a temporary table: its commit is a record in the log, which every member must replay.
"""

import uuid

from saltroni import access
from saltroni.backup import wal
from saltroni.drill import database, ledger, whole
from saltroni.patroni import rest
from saltroni.wait import NotYet, until

WRITE = "CREATE TEMPORARY TABLE saltroni_check ON COMMIT DROP AS SELECT 1"
PLACE = "SELECT pg_current_wal_lsn()::text"


class NotWhole(RuntimeError):
    """The cluster isn't whole; the text says what lacks."""


def check(model, restore, names, deadline_s):
    """Wait until every member has what is written now.

    Args:
        model: the pillar's ``saltroni``, of a PostgreSQL node.
        restore: the restore's id.
        names: the members that take part.
        deadline_s: seconds until it gives up.

    Returns:
        ``{written, leader, timeline, members}``; ``written`` says how the row got there.

    Raises:
        NotWhole, DeadlineError
    """
    if model["drills"]["allowed"] is True and set(names) == set(model["by_role"]["patroni"]):
        return _by_drill(model, restore, names, deadline_s)
    return _by_place(model, names, deadline_s)


def _by_drill(model, restore, names, deadline_s):
    ways = [database.writes(model, name) for name in model["by_role"]["haproxy"]]
    if not ways:
        return _by_place(model, names, deadline_s)

    def table():
        try:
            # a drill that ran at the moment that was restored has left its own
            database.ask(ways[0], ledger.CLEAN_ALL)
            return database.ask(ways[0], ledger.TABLE)
        except database.DatabaseError as err:
            raise NotYet(str(err)) from err

    until(table, f"a write through {ways[0]['host']}", deadline_s, every_s=1.0)
    found = whole.wait(model, ways, str(uuid.uuid5(uuid.NAMESPACE_OID, f"restore {restore}")), deadline_s)
    if found["missing"]:
        raise NotWhole("; ".join(found["missing"]))
    database.ask(ways[0], ledger.CLEAN_ALL)
    through = " or ".join(where["host"] for where in ways)
    return {"written": f"through {through}", "leader": found["leader"], "timeline": found["timeline"], "members": names}


def _by_place(model, names, deadline_s):
    where, words = _way(model)

    def written():
        psycopg = database.driver()
        target = where()
        try:
            with psycopg.connect(**target, connect_timeout=5, options="-c statement_timeout=10s") as connection:
                connection.execute(WRITE)
                connection.commit()
                return wal.position(connection.execute(PLACE).fetchone()[0])
        except psycopg.Error as err:
            raise NotYet(f"{target['host']}: {str(err).strip()}") from err

    place = until(written, f"a write {words}", deadline_s, every_s=1.0)

    def replayed():
        statuses = {name: _status(model, name) for name in names}
        lacking = behind(statuses, place)
        if lacking:
            raise NotYet("; ".join(lacking))
        return statuses

    statuses = until(replayed, "every member to replay it", deadline_s, every_s=1.0)
    leader = next(name for name, said in statuses.items() if said.get("role") not in ("replica", "standby_leader"))
    return {"written": words, "leader": leader, "timeline": statuses[leader].get("timeline"), "members": names}


def _status(model, name):
    try:
        return rest.Member(model, name).status()
    except rest.RestError as err:
        return {"error": str(err)}


def behind(statuses, place):
    """What members lack, as sentences. Pure.

    Args:
        statuses: ``{name: Patroni's /patroni, or {"error": why}}``.
        place: an LSN, as a number.
    """
    found = []
    timelines = {said.get("timeline") for said in statuses.values() if "error" not in said}
    if len(timelines) > 1:
        found.append(f"the members are on timelines {', '.join(str(one) for one in sorted(timelines, key=str))}")
    for name, said in sorted(statuses.items()):
        log = said.get("xlog") or {}
        reached = log.get("location") or log.get("replayed_location") or 0
        if "error" in said:
            found.append(f"{name} doesn't answer: {said['error']}")
        elif said.get("state") not in ("running", "streaming"):
            found.append(f"PostgreSQL of {name} is {said.get('state')}")
        elif reached < place:
            found.append(f"{name} has replayed up to {wal.place(reached)}, not yet {wal.place(place)}")
    return found


def _way(model):
    """``(function that gives connection parameters, words)``: through a load balancer, if there is any account for it."""
    balancers, users = model["by_role"]["haproxy"], model["secrets"].get("users") or {}
    known = {name: told for name, told in model["postgresql"]["users"].items() if name in users}
    if balancers and known:
        name, told = sorted(known.items())[0]
        base = database.writes(model, balancers[0]) if "drill" in model["secrets"] else None
        base = base or {"host": balancers[0], "port": model["haproxy"]["ports"]["leader"]}
        parameters = {**base, "user": name, "dbname": told.get("database") or name, "password": users[name]}
        return lambda: parameters, f"through {balancers[0]} as {name}"

    def direct():
        leader = rest.leader(rest.ask_any(model, "/cluster"))
        if leader is None:
            raise NotYet("nobody leads")
        return {
            "host": leader, "hostaddr": model["nodes"][leader]["address"], "port": model["postgresql"]["port"],
            "user": "postgres", "dbname": "postgres", "password": model["secrets"]["superuser"],
            "sslmode": "verify-full", "sslrootcert": access.CA, "gssencmode": "disable",
        }  # fmt: skip

    return direct, "to the leader itself: there is no account for the load balancer"
