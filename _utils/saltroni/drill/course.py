"""A failover drill: writes through the load balancer, a real fault on the real leader, and what came of it.

The course: take the cluster's drill lock, refuse unless the cluster is whole, write, make the fault, write until writes
flow again, wait until every member has replayed a marker row, compare what was acknowledged with what is there.

Knows nothing of Salt: what a drill needs from outside is handed in as :class:`Outside`.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from saltroni import faults
from saltroni.drill import aims, clock, database, journal, ledger, lock, outage, plan, reads, verdict, watch, whole
from saltroni.drill.readers import Readers
from saltroni.drill.writers import Writers
from saltroni.etcd import gateway
from saltroni.failover.promise import Promise
from saltroni.patroni import rest
from saltroni.wait import DeadlineError, NotYet, until

#: A writer whose acknowledgements are never farther apart than this (seconds) isn't interrupted.
CALM_GAP_S = 1.0
#: A command to make the fault that arrives later than this (seconds) is refused by the node it was sent to.
EXPIRES_S = 30.0


class Refused(RuntimeError):
    """The drill was not begun, or broken off before the fault; :attr:`reasons` say why."""

    def __init__(self, reasons):
        self.reasons = list(reasons)
        super().__init__("the drill was refused: " + "; ".join(self.reasons))


@dataclass(frozen=True)
class Options:
    """What the caller chose. Times in seconds."""

    fault: str = "postmaster_killed"
    balancer: str | None = None
    writers: int = 4
    think_s: float = 0.005
    batch: int = 1
    rate: float = 0.0
    readers: int = 2
    warm_up_s: float = 3.0
    calm_s: float = 3.0
    recovery_s: float = 60.0
    whole_s: float = 120.0
    folder: str = journal.FOLDER
    dry_run: bool = False


@dataclass(frozen=True)
class Outside:
    """What a drill needs from outside."""

    health: Callable  # () -> patroni.health's dict
    able: Callable  # ([nodes], fault) -> None; raises Refused if the fault can't be made there from here
    inject: Callable  # ([nodes], fault, deadline_s, expires_unix) -> {node: {at_unix, ...}}; raises Refused
    emit: Callable  # (verb, data) -> None


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
        the result, see :func:`_result`; it is also kept as ``result.json`` in the drill's folder. With ``dry_run``
        only the plan and what it may cost: ``{dry_run, plan, bound_s, ...}``.

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
    before = preflight(model, options, outside, fault)
    if options.dry_run:
        return {
            "dry_run": True,
            "fault": options.fault,
            "what": fault.summary,
            "plan": plan.told(before["plan"]),
            "lasts_s": fault.lasts_s(model),
            "load_balancer": before["balancer"],
            **before["promised"].told(),
        }
    folder = Path(options.folder) / drill
    event = {
        "cluster": model["cluster"],
        "drill": drill,
        "fault": options.fault,
        "what": fault.summary,
        "plan": plan.told(before["plan"]),
        "node": model["self"]["name"],
        "old_leader": before["leader"],
    }
    started = _stamped(event, "started")
    journal.keep(folder, "started.json", started)
    outside.emit("started", started)
    try:
        result = _course(model, options, outside, drill, fault, held, before, folder)
    except (Refused, DeadlineError, database.DatabaseError, rest.RestError, lock.LockLost, OSError) as err:
        broken = {**event, "verdict": "failed", "broken_off": True, "reasons": [f"broken off: {err}"]}
        _finish(outside, folder, broken)
        if isinstance(err, Refused):
            raise
        raise Refused([f"broken off: {err}"]) from err
    result = {**event, **result}
    _finish(outside, folder, result)
    return result


def _stamped(data, verb):
    # the same event has the same id however often it is sent
    return {"id": str(uuid.uuid5(uuid.UUID(data["drill"]), verb)), "time": now(), **data}


def _finish(outside, folder, result):
    stamped = _stamped(result, "finished")
    journal.keep(folder, "result.json", stamped)
    outside.emit("finished", stamped)


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
        raise Refused([str(err)]) from err
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


def _course(model, options, outside, drill, fault, held, before, folder):
    where = database.writes(model, before["balancer"])
    database.ask(where, ledger.TABLE)
    database.ask(where, ledger.INDEX)
    database.ask(where, ledger.CLEAN_ALL)
    difference, error_s = clock.difference_s(database.member(model, before["leader"]))
    eyes = watch.Watch(model, before["leader"])
    # the one that was chosen first, then the others, as a client does that knows them all
    ways = [before["balancer"], *(name for name in model["by_role"]["haproxy"] if name != before["balancer"])]
    with journal.Journal(folder) as lines:
        lines.add({"drill": drill, "monotonic": time.monotonic(), "time": now(), "where": before["balancer"]})
        writers = Writers(
            [database.writes(model, name) for name in ways], drill, lines, options.writers, options.think_s,
            options.batch, options.rate,
        )  # fmt: skip
        readers = _readers(model, options, ways, drill)
        writers.start()
        readers.start()
        try:
            rate = _warm_up(writers, options)
            held.check()
            _still_leads(model, before["leader"])
            eyes.start()
            asked = time.monotonic()
            made = _strike(model, outside, eyes, before, difference)
            fault_at = made[0]["monotonic"]
            lines.add({"faults": made})
            lasts_s = fault.visible_after_s(model)
            deadline = fault_at + max(options.recovery_s, lasts_s + before["promised"].most_s + 30)
            _flowing_again(writers, options, fault_at + lasts_s, deadline)
        finally:
            told = writers.stop()
            looked = readers.stop()
            ended = time.monotonic()
            seen = eyes.stop()
    measured = outage.measure(told.times(), asked, ended)
    whole_s = options.whole_s + before["promised"].most_s
    after = whole.wait(model, [database.writes(model, name) for name in ways], drill, whole_s)
    checked = _check(model, where, drill, told, after["leader"], looked, before["config"])
    return _result(
        model, options, before, after, measured, checked, writers.errors,
        fault_at=fault_at, seen=seen, made=made, rate=rate, clock_error_s=error_s, lock_lost=_lost(held),
    )  # fmt: skip


def _strike(model, outside, eyes, before, difference):
    """Make every fault of the plan; returns ``[{fault, node, monotonic, heals_by, ...}]``, the first one first."""
    made = []
    for number, (part, aim, planned, when) in enumerate(before["plan"]):
        nodes = [_promoted(model, eyes, before["leader"])] if when == faults.AFTER_PROMOTION else planned
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


#: How long another member may take to lead before a second strike (seconds).
PROMOTION_S = 60.0


def _promoted(model, eyes, old):
    """Who leads after ``old``, as soon as it takes writes."""

    def leads():
        leader = eyes.seen[-1][1]
        if leader in (None, old):
            raise NotYet("nobody else leads")
        if rest.Member(model, leader, timeout_s=1.0).status().get("role") not in ("primary", "master"):
            raise NotYet(f"{leader} isn't promoted")
        return leader

    def asked():
        try:
            return leads()
        except rest.RestError as err:
            raise NotYet(str(err)) from err

    return until(asked, "another member to lead", PROMOTION_S, every_s=0.02)


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


def _check(model, where, drill, told, leader, looked, config):
    """Compare with what the leader has, then take the drill's rows away. None where there is no leader to ask."""
    if leader is None:
        return None
    try:
        rows = database.ask(database.member(model, leader), ledger.ROWS, (drill,), timeout_s=30)
        promised = Promise.of(model, config)
        late_s = reads.delay_s(promised.loop_wait_s, promised.release_s())
        checked = {
            **ledger.compare(told, drill, rows),
            **reads.check(looked, ledger.kept(told, rows), model["haproxy"]["max_lag_bytes"], late_s),
        }
        database.ask(where, ledger.CLEAN, (drill,), timeout_s=30)
    except database.DatabaseError:
        return None
    return checked


def _result(model, options, before, after, measured, checked, errors, **more):
    """The drill as one dict: verdict, reasons, and every figure with its unit in its name."""
    fault_at, promised = more["fault_at"], before["promised"].told()
    phases = watch.phases(more["seen"], before["leader"], fault_at)
    phases["first_commit_s"] = None if measured["open"] else round(measured["first_at"] - fault_at, 3)
    result = {
        "load_balancer": before["balancer"],
        "new_leader": after["leader"],
        "timeline_before": before["timeline"],
        "timeline_after": after["timeline"],
        "outage_s": measured["outage_s"],
        "outage_of_all_s": measured["any_writer_s"],
        "came_back": not measured["open"],
        "bound_s": promised["bound_s"],
        "least_s": promised["least_s"],
        "bound_terms_s": promised["terms"],
        "may_lose": promised["loses"] and model["postgresql"]["replication"] == "async",
        "phases": phases,
        "whole": after["at"] is not None,
        "time_to_whole_s": None if after["at"] is None else round(after["at"] - fault_at, 1),
        "missing": after["missing"],
        "writers": options.writers,
        "commits_per_s": round(more["rate"]),
        "checked": checked is not None,
        **(checked or {}),
        "errors": dict(errors.most_common(10)),
        "clock_error_s": round(more["clock_error_s"], 4),
        "lock_lost": more["lock_lost"],
        "heals_by": more["made"][0].get("heals_by"),
        "faults_made": [
            {"fault": said["fault"], "node": said["node"], "after_s": round(said["monotonic"] - fault_at, 3)}
            for said in more["made"]
        ],
        "settings": settings(model, before["config"]),
    }
    reasons = verdict.reasons(result)
    return {"verdict": "failed" if reasons else "passed", "reasons": reasons, **result}


def settings(model, config):
    """Settings in force that a failover's length and losses depend on."""
    names = (
        "ttl", "loop_wait", "retry_timeout", "primary_start_timeout", "maximum_lag_on_failover", "synchronous_mode",
        "synchronous_mode_strict", "synchronous_node_count", "failsafe_mode",
    )  # fmt: skip
    checks = ("inter_ms", "fastinter_ms", "downinter_ms", "rise", "fall", "timeout_check_ms", "timeout_connect_ms")
    return {
        "patroni": {name: config.get(name) for name in names},
        "haproxy": {name: model["haproxy"][name] for name in checks},
        "replication": model["postgresql"]["replication"],
    }
