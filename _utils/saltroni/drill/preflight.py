"""Whether a drill can begin, and what it will do: looked at before anything is broken."""

from saltroni import faults
from saltroni.drill import aims, database, plan
from saltroni.drill.terms import Refused, Unable
from saltroni.failover.promise import Promise
from saltroni.patroni import rest


def preflight(model, options, outside, fault):
    """Refuse unless a drill can tell something, and every fault of its plan can be made.

    Returns:
        ``{leader, timeline, balancer, config, plan, promised}``

    Raises:
        Refused: with every reason that was found.
    """
    health = outside.health()
    if not health["whole"]:
        raise Refused(["the cluster isn't whole", *health["reasons"]])
    leader = health["leader"]
    balancer = choose_balancer(model, options.balancer, spared=_spared(model, fault))
    try:
        planned = plan.strikes(model, fault, plan.seen(model, leader, balancer))
    except aims.NoAim as err:
        raise Unable([str(err)]) from err
    for part, _, nodes, when in planned:
        # whoever leads later may be any of them
        outside.able(model["by_role"]["patroni"] if when == faults.AFTER_PROMOTION else nodes, part.name)
    config = rest.ask_any(model, "/config")
    return {
        "leader": leader,
        "timeline": health["timeline"],
        "balancer": balancer,
        "config": config,
        "health": health["verdict"],
        "plan": planned,
        "promised": fault.cost(Promise.of(model, config)),
    }


def _spared(model, fault):
    """A load balancer that the drill must not write through: the one it is called on, if the fault takes it away."""
    struck = any(strike.aim == "the load balancer" for strike in fault.strikes)
    return model["self"]["name"] if struck else None


def choose_balancer(model, wanted=None, spared=None):
    """``wanted``, or the first load balancer through which the drill's user reaches the leader; never ``spared``.

    Raises:
        Refused: none does; says what each answered.
    """
    names = [name for name in model["by_role"]["haproxy"] if name != spared]
    if wanted and wanted not in names:
        raise Refused([f"{wanted} is no load balancer: there are {', '.join(names) or 'none'}"])
    failures = []
    for name in [wanted] if wanted else names:
        try:
            if not database.ask(database.writes(model, name), "SELECT pg_is_in_recovery()", timeout_s=3)[0][0]:
                return name
            failures.append(f"{name} leads to a replica")
        except database.DatabaseError as err:
            failures.append(str(err))
    raise Refused(["no load balancer reaches the leader", *failures])
