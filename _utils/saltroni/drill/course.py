"""A failover drill: writes through the load balancer, a real fault on the real leader, and what came of it.

The course: take the cluster's drill lock, refuse unless the cluster is whole, write, make the fault, write until writes
flow again, wait until every member has replayed a marker row, compare what was acknowledged with what is there.

Knows nothing of Salt: what a drill needs from outside is handed in as :class:`Outside`.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from saltroni import faults
from saltroni.drill import (
    clock,
    database,
    journal,
    ledger,
    lock,
    outage,
    overlap,
    plan,
    pressure,
    reads,
    record,
    result,
    strike,
    sweeper,
    watch,
    whole,
)  # fmt: skip
from saltroni.drill.preflight import preflight
from saltroni.drill.readers import Readers
from saltroni.drill.terms import Options, Outside, Refused, Unable
from saltroni.drill.writers import Writers
from saltroni.etcd import gateway
from saltroni.failover.promise import Promise
from saltroni.patroni import rest
from saltroni.wait import DeadlineError, NotYet, until

__all__ = ("Options", "Outside", "Refused", "Unable", "now", "run")

#: A writer whose acknowledgements are never farther apart than this (seconds) isn't interrupted.
CALM_GAP_S = 1.0
#: What may go wrong on the way.
BREAKS_OFF = (
    Refused, DeadlineError, database.DatabaseError, rest.RestError, lock.LockLost, sweeper.CannotArm, OSError,
)  # fmt: skip


def now():
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def run(model, options, outside):
    """Do a drill.

    Args:
        model: the pillar's ``saltroni``.
        options: :class:`Options`.
        outside: :class:`Outside`.

    Returns:
        the result, see :func:`saltroni.drill.result.result`; it is also kept in the drill's folder, see
        :mod:`saltroni.drill.record`. With ``dry_run`` only whether it could be made, the plan and what it may cost:
        ``{dry_run, able, plan, bound_s, ...}``, or ``{dry_run, able: False, reasons}``.

    Raises:
        Refused: nothing was broken.
    """
    drill = str(uuid.uuid4())
    try:
        fault = faults.named(options.fault)
        if model["drills"]["allowed"] is not True:
            raise Refused([f"saltroni:drills:allowed isn't true for cluster {model['cluster']}: it opens real faults"])
        with lock.held(model, drill, now()) as held:
            return _locked(model, options, outside, drill, fault, held)
    except (faults.FaultError, lock.LockHeld, gateway.EtcdHttpError, database.DatabaseError, rest.RestError) as err:
        raise Refused([str(err)]) from err


def _locked(model, options, outside, drill, fault, held):
    try:
        before = preflight(model, options, outside, fault)
    except Unable as err:
        if options.dry_run:
            return {"dry_run": True, "able": False, "reasons": err.reasons, **_named(options, fault)}
        raise
    if options.dry_run:
        return {
            "dry_run": True,
            "able": True,
            **_named(options, fault),
            "plan": plan.told(before["plan"]),
            "lasts_s": fault.lasts_s(model),
            "load_balancer": before["balancer"],
            **before["promised"].told(),
        }
    folder = Path(options.folder) / drill
    event = {
        "cluster": model["cluster"],
        "drill": drill,
        **_named(options, fault),
        "plan": plan.told(before["plan"]),
        "node": model["self"]["name"],
        "old_leader": before["leader"],
    }
    started = _stamped(event, "started")
    journal.keep(folder, "started.json", started)
    outside.emit("started", started)
    begun_unix, seen = time.time(), Seen()
    try:
        figures = _course(model, options, outside, drill, fault, held, before, folder, seen)
    except BREAKS_OFF as err:
        broken = {**event, "verdict": "failed", "broken_off": True, "reasons": [f"broken off: {err}"]}
        _finish(outside, folder, broken, begun_unix, seen)
        if isinstance(err, Refused):
            raise
        raise Refused([f"broken off: {err}"]) from err
    ended = {**event, **figures}
    _finish(outside, folder, ended, begun_unix, seen)
    return ended


@dataclass
class Seen:
    """What is known of a drill also when it is broken off."""

    watched: dict | None = None
    fault_at: float | None = None


def _named(options, fault):
    return {"fault": options.fault, "what": fault.summary}


def _stamped(data, verb):
    # the same event has the same id however often it is sent
    return {"id": str(uuid.uuid5(uuid.UUID(data["drill"]), verb)), "time": now(), **data}


def _finish(outside, folder, ended, begun_unix, seen):
    """Tell the end, then gather what every node logged meanwhile."""
    stamped = _stamped(ended, "finished")
    journal.keep(folder, "result.json", stamped)
    lag = record.relative(seen.watched, seen.fault_at)[1] if seen.watched else []
    outside.emit("finished", {**stamped, "lag": record.thinned(lag)})
    record.keep(folder, stamped, seen.watched, seen.fault_at, outside.logs(*record.window(begun_unix)))
    record.prune(folder.parent)


def _course(model, options, outside, drill, fault, held, before, folder, seen):
    # the one that was chosen first, then the others, as a client does that knows them all
    others = [name for name in model["by_role"]["haproxy"] if name != before["balancer"]]
    ways = [database.writes(model, name) for name in (before["balancer"], *others)]
    eyes = watch.Watch(model, before["leader"], before["balancer"])
    with sweeper.table(model, drill, ways[0]), journal.Journal(folder) as lines:
        difference, error_s = clock.difference_s(database.member(model, before["leader"]))
        lines.add({"drill": drill, "monotonic": time.monotonic(), "time": now(), "where": before["balancer"]})
        writers = Writers(ways, drill, lines, options.writers, options.think_s, options.batch, options.rate)
        readers = _readers(model, options, (before["balancer"], *others), drill)
        beside = overlap.Beside(model, fault, before["leader"], drill, lines)
        meter = pressure.Meter()
        try:
            writers.start()
            beside.start()
            readers.start()
            try:
                rate = _warm_up(writers, options)
                held.check()
                _still_leads(model, before["leader"])
                eyes.start()
                asked = time.monotonic()
                made = strike.strike(model, outside, eyes, before, difference)
                seen.fault_at = made[0]["monotonic"]
                lines.add({"faults": made})
                lasts_s = fault.visible_after_s(model)
                last_at = strike.last_at(made)
                deadline = last_at + max(options.recovery_s, lasts_s + before["promised"].most_s + 30)
                _flowing_again(writers, options, last_at + lasts_s, deadline)
                strike.over(outside, made)
            finally:
                ended = time.monotonic()  # stopping takes time, in which nobody begins to write
                busy = meter.share()
                told = writers.stop()
                looked = readers.stop()
                direct = beside.stop()
            after = whole.wait(model, ways, drill, options.whole_s + before["promised"].most_s)
        finally:
            seen.watched = eyes.stop()
        checked = _check(model, drill, told, after["leader"], looked, before["config"])
    return result.result(
        model, options, before, after, outage.measure(told.times(), asked, ended), checked, writers.errors,
        direct=direct, fault_at=seen.fault_at, watched=seen.watched, made=made, rate=rate, clock_error_s=error_s,
        lock_lost=_lost(held), busy=busy,
    )  # fmt: skip


def _lost(held):
    try:
        held.check()
    except lock.LockLost as err:
        return str(err)
    return None


def _warm_up(writers, options):
    """Write until every writer is steady; returns commits per second of all."""

    def steady():
        if not outage.calm(writers.times(), time.monotonic(), options.warm_up_s, CALM_GAP_S):
            raise NotYet("errors so far: " + (_worst(writers.errors) or "none, but too slow"))

    try:
        until(steady, f"{options.writers} writers to write steadily", options.warm_up_s + 15, every_s=0.1)
    except DeadlineError as err:
        raise Refused([str(err)]) from err
    recent = time.monotonic() - options.warm_up_s
    rows = sum(at > recent for times in writers.times().values() for at in times)
    return rows / options.batch / options.warm_up_s


def _worst(errors, number=3):
    return "; ".join(f"{text} ({count} times)" for text, count in errors.most_common(number))


def _still_leads(model, leader):
    present = rest.leader(rest.ask_any(model, "/cluster"))
    if present != leader:
        raise Refused([f"the leader changed from {leader} to {present} before the fault: try again"])


def _flowing_again(writers, options, visible_at, deadline):
    """Wait until writes flow again, at most until ``deadline`` (monotonic); what came of it is judged later."""

    def flowing():
        present = time.monotonic()
        calm = outage.calm(writers.times(), present, options.calm_s, CALM_GAP_S)
        if present < visible_at + options.calm_s or not calm:
            raise NotYet("writes don't flow yet")

    left_s = max(1.0, deadline - time.monotonic())
    try:
        until(flowing, "writes to flow again", left_s, every_s=0.1)
    except DeadlineError:
        return False
    return True


def _readers(model, options, ways, drill):
    names = {model["nodes"][name]["address"]: name for name in model["by_role"]["patroni"]}
    replicas, leader = ([way(model, name) for name in ways] for way in (database.reads, database.writes))
    return Readers(replicas, leader, names, drill, options.writers, options.readers)


def _check(model, drill, told, leader, looked, config):
    """Compare with what the leader has. None where there is no leader to ask."""
    if leader is None:
        return None
    try:
        rows = database.ask(database.member(model, leader), ledger.ROWS, (drill,), timeout_s=30)
    except database.DatabaseError:
        return None
    promised = Promise.of(model, config)
    late_s = reads.delay_s(promised.loop_wait_s, promised.release_s)
    return {
        **ledger.compare(told, drill, rows),
        **reads.check(looked, ledger.kept(told, rows), model["haproxy"]["max_lag_bytes"], late_s),
    }
