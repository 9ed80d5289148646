"""Is the cluster well? A pure judgement of what :mod:`saltroni.health.gather` found.

Two questions are answered. The verdict: ``critical`` where writes are lost, stopped or in danger now, ``warning`` where
something must be done before the next fault, else ``ok``. And whether the cluster is *whole*: nothing is missing that a
failover needs. An expiring certificate is a warning in a whole cluster; a missing replica makes it not whole.

A member's state ``streaming`` is never taken as proof by itself: a replica that forked from another history keeps
saying so while it receives nothing. Its timeline, the leader's own list of receivers, and the positions in the
write-ahead log are compared as well, it must move when it is behind, and the node itself compares its history with the
leader's (:mod:`saltroni.lineage`) and tells by a tag when it has another one.
"""

from saltroni.haproxy import stats
from saltroni.health import symptoms

LEVELS = ("ok", "warning", "critical")


def judge(model, facts):
    """Verdict, reasons and the facts that they rest on.

    Args:
        model: the pillar's ``saltroni``.
        facts: see :func:`saltroni.health.gather.everything`.

    Returns:
        ``{verdict, whole, reasons, notes, scope, leader, timeline, paused, members, etcd, balancers, ...}``
    """
    found = (
        symptoms.etcd(facts["etcd"])
        + symptoms.members(model, facts)
        + symptoms.lineage(facts)
        + symptoms.synchronous(facts)
        + symptoms.settings(model, facts["config"])
        + symptoms.balancers(facts)
        + symptoms.certificates(model, facts["certificates_days"])
        + symptoms.watchdog(model, facts)
        + symptoms.guards(model, facts)
        + symptoms.archive(model, facts)
    )
    found.sort(key=lambda finding: -LEVELS.index(finding.level))
    return {
        "verdict": found[0].level if found else "ok",
        "whole": all(finding.whole for finding in found),
        "reasons": [finding.text for finding in found],
        "notes": _notes(model, facts),
        **summary(facts),
    }


def summary(facts):
    """The facts worth showing."""
    cluster = facts["cluster"]
    leader = cluster.get("leader")
    rows = {name: dict(row) for name, row in cluster.get("members", {}).items()}
    for name, lag in symptoms.lags(facts).items():
        rows.setdefault(name, {})["replay_lag_bytes"] = lag
    return {
        "scope": cluster.get("scope"),
        "leader": leader,
        "timeline": rows.get(leader, {}).get("timeline"),
        "paused": cluster.get("paused"),
        "members": rows,
        "etcd": {name: symptoms.why(said) or "healthy" for name, said in facts["etcd"].items()},
        "balancers": {
            name: {"leader": stats.up(said["servers"], "leader"), "replicas": stats.up(said["servers"], "replicas")}
            if "servers" in said
            else {"error": said["error"]}
            for name, said in facts["balancers"].items()
        },
        "certificates_days": facts["certificates_days"],
        "watchdog": facts["watchdog"],
        "guards": facts["guards"],
        **({"archive": facts["archive"]} if facts.get("archive") is not None else {}),
    }


def _notes(model, facts):
    leader = facts["cluster"].get("leader")
    seen = facts["watchdog"]
    notes = []
    if leader and leader != model["self"]["name"]:
        notes.append(f"the watchdog is armed on the leader only: patroni.health on {leader} tells")
        if model.get("backup", {}).get("enabled"):
            notes.append(f"what waits for the archive is seen on the leader only: patroni.health on {leader} tells")
    elif leader and seen and not seen.get("exists") and model["patroni"]["watchdog"] == "automatic":
        instead = "stopped by the lease guard" if symptoms.guarded(model) else "let go by HAProxy, not stopped"
        notes.append(f"this node has no {seen.get('device')}: a frozen leader is {instead}")
    unseen = [name for name, left in facts["certificates_days"].items() if isinstance(left, dict)]
    if unseen:
        notes.append(f"certificates not seen: {', '.join(sorted(unseen))}")
    return notes
