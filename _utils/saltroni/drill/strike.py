"""Makes the faults of a drill's plan, and says when each was made by this process's clock."""

import time

from saltroni import faults
from saltroni.drill import clock, watch
from saltroni.patroni import rest
from saltroni.wait import NotYet, until

#: A command to make the fault that arrives later than this (seconds) is refused by the node it was sent to.
EXPIRES_S = 30.0
#: How long another member may take to lead before a second strike (seconds).
PROMOTION_S = 60.0
#: How long what ends by itself may take (seconds), and how often nodes are asked.
OVER_S, ASK_EVERY_S = 600.0, 3.0


def strike(model, outside, eyes, before, difference):
    """Make every fault of the plan.

    Args:
        eyes: the running :class:`saltroni.drill.watch.Watch`.
        before: see :func:`saltroni.drill.preflight.preflight`.
        difference: the leader's wall clock minus this process's monotonic one (seconds).

    Returns:
        ``[{fault, node, monotonic, heals_by, ...}]``, the first one first.

    Raises:
        Refused: a fault was not made.
        DeadlineError: nobody took over who was to be struck next.
    """
    made, old = [], before["leader"]
    twice = any(when == faults.AFTER_PROMOTION for *_, when in before["plan"])
    born = rest.Member(model, old).status().get("postmaster_start_time") if twice else None
    for number, (part, aim, planned, when) in enumerate(before["plan"]):
        nodes = [_leads_again(model, eyes, old, born)] if when == faults.AFTER_PROMOTION else planned
        asked, wall = time.monotonic(), time.time()
        known = nodes == [before["leader"]]  # whose clock was compared with ours
        expires = (asked + difference if known else wall) + EXPIRES_S
        told = outside.inject(nodes, part.name, part.lasts_s(model), expires)
        answered = time.monotonic()
        for node, said in told.items():
            at = float(said["at_unix"])
            here = difference if known else float(said["now_unix"]) - answered
            # some strike in the near future, after their answer
            latest = answered + max(0.0, at - float(said["now_unix"]))
            made.append(
                {**said, "node": node, "aim": aim, "wave": number, "monotonic": clock.moment(at, here, asked, latest)}
            )
    return sorted(made, key=lambda said: (said["wave"], said["monotonic"]))


def last_at(made):
    """When the last of the strikes was made (seconds): before that nothing shows that writes flow again. Pure."""
    return max(said["monotonic"] for said in made)


def over(outside, made, deadline_s=OVER_S):
    """Wait until faults that end by themselves have ended: what they cost later belongs to the drill too.

    Raises:
        DeadlineError: one lasts on.
    """
    waited = {}
    for said in made:
        if faults.named(said["fault"]).ends_by_itself:
            waited.setdefault(said["node"], set()).add(said["fault"])

    def ended():
        told = outside.active(sorted(waited))
        # who doesn't answer is at it
        left = [node for node, names in waited.items() if names & set(told[node].get("active", names))]
        if left:
            raise NotYet(f"it lasts on {', '.join(sorted(left))}")

    if waited:
        names = ", ".join(sorted(set().union(*waited.values())))
        until(ended, f"{names} to end", deadline_s, every_s=ASK_EVERY_S)


def _leads_again(model, eyes, old, born):
    """Who leads after the crash of ``old``, as soon as it takes writes: another member, or ``old``, recovered in place.

    Args:
        born: when the postmaster of ``old`` that crashed had been started, as Patroni says it.
    """

    def leads():
        leader = eyes.leader
        if leader is None:
            raise NotYet("nobody leads")
        try:
            status = rest.Member(model, leader, timeout_s=1.0).status()
        except rest.RestError as err:
            raise NotYet(str(err)) from err
        if leader == old and status.get("postmaster_start_time") in (None, born):
            raise NotYet(f"{old} hasn't recovered, and nobody else leads")
        if status.get("role") not in watch.WRITABLE or status.get("state") != "running":
            raise NotYet(f"{leader} takes no writes yet")
        return leader

    return until(leads, "a leader after the crash", PROMOTION_S, every_s=0.02)
