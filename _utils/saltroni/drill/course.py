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
from saltroni.drill import clock, database, journal, ledger, lock, outage, verdict, watch, whole
from saltroni.drill.writers import Writers
from saltroni.etcd import gateway
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
    warm_up_s: float = 3.0
    calm_s: float = 3.0
    recovery_s: float = 60.0
    whole_s: float = 120.0
    folder: str = journal.FOLDER


@dataclass(frozen=True)
class Outside:
    """What a drill needs from outside."""

    health: Callable  # () -> patroni.health's dict
    reach: Callable  # (node) -> None; raises Refused if faults can't be made there from here
    inject: Callable  # (node, fault, deadline_s, expires_unix) -> {at_unix, ...}; raises Refused
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
        the result, see :func:`_result`; it is also kept as ``result.json`` in the drill's folder.

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
    before = preflight(model, options, outside)
    folder = Path(options.folder) / drill
    event = {
        "cluster": model["cluster"],
        "drill": drill,
        "fault": options.fault,
        "what": fault.SUMMARY,
        "node": model["self"]["name"],
        "old_leader": before["leader"],
    }
    started = _stamped(event, "started")
    journal.keep(folder, "started.json", started)
    outside.emit("started", started)
    try:
        result = _course(model, options, outside, drill, fault, held, before, folder)
    except (Refused, database.DatabaseError, rest.RestError, lock.LockLost, OSError) as err:
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


def preflight(model, options, outside):
    """Refuse unless a drill can tell something.

    Returns:
        ``{leader, timeline, balancer, config}``

    Raises:
        Refused: with every reason that was found.
    """
    health = outside.health()
    if not health["whole"]:
        raise Refused(["the cluster isn't whole", *health["reasons"]])
    leader = health["leader"]
    outside.reach(leader)
    return {
        "leader": leader,
        "timeline": health["timeline"],
        "balancer": choose_balancer(model, options.balancer),
        "config": rest.ask_any(model, "/config"),
        "health": health["verdict"],
    }


def choose_balancer(model, wanted=None):
    """``wanted``, or the first load balancer through which the drill's user reaches the leader.

    Raises:
        Refused: none does; says what each answered.
    """
    names = model["by_role"]["haproxy"]
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
    database.ask(where, ledger.CLEAN_ALL)
    difference, error_s = clock.difference_s(database.member(model, before["leader"]))
    lasts_s = fault.visible_after_s(model) + 10
    eyes = watch.Watch(model, before["leader"])
    with journal.Journal(folder) as lines:
        lines.add({"drill": drill, "monotonic": time.monotonic(), "time": now(), "where": before["balancer"]})
        writers = Writers(where, drill, lines, options.writers, options.think_s)
        writers.start()
        try:
            rate = _warm_up(writers, options)
            held.check()
            _still_leads(model, before["leader"])
            eyes.start()
            asked = time.monotonic()
            made = outside.inject(before["leader"], options.fault, lasts_s, asked + difference + EXPIRES_S)
            answered = time.monotonic()
            fault_at = clock.moment(float(made["at_unix"]), difference, asked, answered)
            lines.add({"fault": made, "monotonic": fault_at})
            _flowing_again(writers, options, fault_at + fault.visible_after_s(model), fault_at)
        finally:
            told = writers.stop()
            ended = time.monotonic()
            seen = eyes.stop()
    measured = outage.measure(told.times(), asked, ended)
    after = whole.wait(model, where, drill, options.whole_s)
    checked = _check(model, where, drill, told, after["leader"])
    return _result(
        model, options, before, after, measured, checked, writers.errors,
        fault_at=fault_at, seen=seen, made=made, rate=rate, clock_error_s=error_s, lock_lost=_lost(held),
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
    return sum(at > recent for times in writers.times().values() for at in times) / options.warm_up_s


def _worst(errors, number=3):
    return "; ".join(f"{text} ({count} times)" for text, count in errors.most_common(number))


def _still_leads(model, leader):
    present = rest.leader(rest.ask_any(model, "/cluster"))
    if present != leader:
        raise Refused([f"the leader changed from {leader} to {present} before the fault: try again"])


def _flowing_again(writers, options, visible_at, fault_at):
    """Wait until writes flow again, at most ``options.recovery_s`` after the fault; what came of it is judged later."""

    def flowing():
        present = time.monotonic()
        calm = outage.calm(writers.times(), present, options.calm_s, CALM_GAP_S)
        if present < visible_at + options.calm_s or not calm:
            raise NotYet("writes don't flow yet")

    left_s = max(1.0, fault_at + options.recovery_s - time.monotonic())
    try:
        until(flowing, "writes to flow again", left_s, every_s=0.1)
    except DeadlineError:
        return False
    return True


def _check(model, where, drill, told, leader):
    """Compare with what the leader has, then take the drill's rows away. None where there is no leader to ask."""
    if leader is None:
        return None
    try:
        rows = database.ask(database.member(model, leader), ledger.ROWS, (drill,), timeout_s=30)
        checked = ledger.compare(told, drill, rows)
        database.ask(where, ledger.CLEAN, (drill,), timeout_s=30)
    except database.DatabaseError:
        return None
    return checked


def _result(model, options, before, after, measured, checked, errors, **more):
    """The drill as one dict: verdict, reasons, and every figure with its unit in its name."""
    fault_at, bound = more["fault_at"], model["bounds"].get(options.fault)
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
        "bound_s": bound["bound_s"] if bound else None,
        # taken one by one: as a part of the pillar, Salt would show it masked
        "bound_terms_s": {name: float(bound["terms"][name]) for name in bound["terms"]} if bound else {},
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
        "heals_by": more["made"].get("heals_by"),
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
