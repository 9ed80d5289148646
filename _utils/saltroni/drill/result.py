"""A drill as one dict: verdict, reasons, and every figure with its unit in its name. Pure."""

from saltroni.drill import overlap, verdict, watch


def result(model, options, before, after, measured, checked, errors, **more):
    """What came of a drill.

    Args:
        options: see :class:`saltroni.drill.terms.Options`.
        before: see :func:`saltroni.drill.preflight.preflight`.
        after: see :func:`saltroni.drill.whole.wait`.
        measured: see :func:`saltroni.drill.outage.measure`.
        checked: see :func:`saltroni.drill.ledger.compare`, None where there was nobody to ask.
        errors: how often clients saw which error, a ``Counter``.
        more: ``fault_at`` (monotonic), ``watched`` (see :meth:`saltroni.drill.watch.Watch.stop`), ``made`` (see
            :func:`saltroni.drill.strike.strike`), ``direct`` (see :meth:`saltroni.drill.overlap.Beside.stop`), ``rate`` (commits per second), ``clock_error_s``, ``lock_lost``, ``busy`` (see :meth:`saltroni.drill.pressure.Meter.share`).
    """
    fault_at, promised = more["fault_at"], before["promised"].told()
    phases = watch.phases(more["watched"], before["leader"], fault_at)
    if after["at"] is None:
        phases["old_leader_rejoined_s"] = None  # it was listed as following, and that is no proof
    elif phases["old_leader_rejoined_s"] is None and after["leader"] != before["leader"]:
        # what every member has replayed is proven before Patroni's list, which is a round old, tells of it
        phases["old_leader_rejoined_s"] = round(after["at"] - fault_at, 3)
    phases["first_commit_s"] = None if measured["open"] else round(measured["first_at"] - fault_at, 3)
    figures = {
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
        "overlap": _overlap(more.get("direct"), more["watched"], before["leader"], fault_at, measured),
        "overlap_forbidden": bool(model.get("guard", {}).get("enabled") and model["guard"]["lease"]),
        "writers": options.writers,
        "commits_per_s": round(more["rate"]),
        "checked": checked is not None,
        **(checked or {}),
        "errors": dict(errors.most_common(10)),
        "clock_error_s": round(more["clock_error_s"], 4),
        "lock_lost": more["lock_lost"],
        "cpu_waited_share": more["busy"],
        "heals_by": more["made"][0].get("heals_by"),
        "faults_made": [
            {"fault": said["fault"], "node": said["node"], "after_s": round(said["monotonic"] - fault_at, 3)}
            for said in more["made"]
        ],
        "settings": settings(model, before["config"]),
    }
    reasons = verdict.reasons(figures)
    return {"verdict": "failed" if reasons else "passed", "reasons": reasons, **figures}


def _overlap(direct, watched, old, fault_at, measured):
    taken = next((at for at, leader in watched["leader"] if leader not in (None, old)), None)
    return overlap.overlap(direct, fault_at, taken, measured["first_at"])


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
