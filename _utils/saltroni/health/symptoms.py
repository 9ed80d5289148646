"""What can be wrong with a cluster, one rule a function.

What :mod:`saltroni.health.gather` found goes in, findings come out. Pure.
:mod:`saltroni.health.judge` puts them together.
"""

from dataclasses import dataclass

from saltroni.backup import health as archive_health
from saltroni.haproxy import stats
from saltroni.patroni import view

RUNNING = ("running", "streaming")
#: The service that compares histories looks every second (seconds).
LINEAGE_SILENT_S = 120


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    level: str
    text: str
    whole: bool = False  # whether the cluster is whole in spite of it


def _warning(text, whole=False):
    return Finding("warning", text, whole)


def _critical(text, whole=False):
    return Finding("critical", text, whole)


def why(said):
    """What etcd says is wrong, empty when it is healthy."""
    if said.get("healthy"):
        return ""
    return said.get("error") or said.get("reason") or "unhealthy"


def lags(facts):
    """Bytes of the leader's log that each replica hasn't replayed, by their own words, None where unknown."""
    ahead = ((facts.get("leader_later") or {}).get("xlog") or {}).get("location")
    result = {}
    for name, status in facts["members"].items():
        replayed = (status.get("xlog") or {}).get("replayed_location")
        if name != facts["cluster"].get("leader") and "error" not in status:
            result[name] = ahead - replayed if isinstance(ahead, int) and isinstance(replayed, int) else None
    return result


def etcd(answers):
    """Its quorum, by each member's word."""
    bad = {name: why(said) for name, said in answers.items() if not said.get("healthy")}
    if not bad:
        return []
    which = "; ".join(f"{name}: {reason}" for name, reason in bad.items())
    if len(answers) - len(bad) > len(answers) // 2:
        return [_warning(f"etcd lacks {len(bad)} of {len(answers)} members ({which}): see journalctl -u etcd there")]
    return [_critical(f"etcd has no quorum as seen from here, nobody can be elected ({which}): start etcd there")]


def members(model, facts):
    """The leader, and each member against it."""
    cluster = facts["cluster"]
    if "error" in cluster:
        return [_critical(f"Patroni answers nowhere: {cluster['error']}")]
    found = []
    if cluster["paused"]:
        found.append(_warning("the cluster is paused, nobody takes over when the leader dies: patroni.resume"))
    leader = cluster["leader"]
    if leader is None:
        found.append(_critical("no member leads, writes are stopped: see journalctl -u patroni on each member"))
    elif cluster["members"][leader]["state"] not in RUNNING:
        state = cluster["members"][leader]["state"]
        found.append(_critical(f"{leader} holds the lease but its PostgreSQL is {state}: see its log there"))
    for name in model["by_role"]["patroni"]:
        row, status = cluster["members"].get(name), facts["members"].get(name, {"error": "wasn't asked"})
        found += _answers(name, row, status)
        if row is not None and name != leader and "error" not in status:
            found += _replica(model, name, facts)
    unknown = sorted(set(cluster["members"]) - set(model["by_role"]["patroni"]))
    if unknown:
        found.append(
            _warning(f"{', '.join(unknown)} is a member, but not in saltroni:nodes: add it there or take it out")
        )
    return found


def _answers(name, row, status):
    found = []
    why = view.held(row, status)
    if why:
        text = f"{name} has another history than the leader and is held out of elections: {why}"
        found.append(_critical(f"{text}: patroni.reinitialize {name}"))
    if row is None:
        found.append(_warning(f"{name} is no member: start Patroni there (systemctl start patroni)"))
    if "error" in status:
        found.append(_warning(f"{name} can't be asked: {status['error']}"))
    if (row or {}).get("pending_restart") or status.get("pending_restart"):
        found.append(_warning(f"{name} has settings that wait for a restart: orch.restart", whole=True))
    return found


def _replica(model, name, facts):
    cluster, status = facts["cluster"], facts["members"][name]
    leader = cluster["leader"]
    if status.get("state") not in RUNNING:
        return [_warning(f"PostgreSQL of {name} is {status.get('state')}: see journalctl -u patroni there")]
    if leader is None:
        return []
    timeline = (facts.get("leader_later") or {}).get("timeline") or cluster["members"][leader]["timeline"]
    cure = f"if it stays so, patroni.reinitialize {name}"
    if status.get("timeline") != timeline:
        return [_warning(f"{name} is on timeline {status.get('timeline')}, the leader {leader} on {timeline}: {cure}")]
    found = []
    if status.get("replication_state") != "streaming":
        found.append(_warning(f"{name} doesn't stream from {leader} ({status.get('replication_state')}): {cure}"))
    elif not _sent_to(name, facts):
        found.append(_warning(f"{name} says it streams, but {leader} sends it nothing: {cure}"))
    if name in facts.get("still", {}):
        paused = " (replay is paused: pg_wal_replay_resume)" if (status.get("xlog") or {}).get("paused") else ""
        found.append(_warning(f"{name} is behind and has replayed nothing for seconds{paused}: {cure}"))
    lag = lags(facts).get(name)
    if lag is not None and lag < 0:
        text = f"{name} replayed {-lag} bytes that the leader {leader} never wrote, its history is another one: "
        found.append(_critical(text + f"patroni.reinitialize {name}"))
    elif lag is not None and lag > model["timings"]["maximum_lag_on_failover_bytes"]:
        found.append(_warning(f"{name} is {lag} bytes behind and won't be promoted: give it time, then {cure}"))
    return found


def _sent_to(name, facts):
    """Whether the leader lists ``name`` among its receivers; a cascading replica has another source."""
    status = facts.get("leader_later") or {}
    tags = facts["cluster"]["members"].get(name, {}).get("tags", {})
    if "error" in status or "replicatefrom" in tags:
        return True
    return any(
        row.get("application_name") == name and row.get("state") == "streaming" for row in status.get("replication", [])
    )


def synchronous(facts):
    """Standbys that confirm commits, against what the settings in force promise."""
    config, cluster = facts["config"], facts["cluster"]
    if "error" in config or "error" in cluster or not config.get("synchronous_mode"):
        return []
    replicas = [name for name in cluster["members"] if name != cluster["leader"]]
    confirming = sorted(name for name, row in cluster["members"].items() if row["role"] in view.SYNCHRONOUS)
    wanted = int(config.get("synchronous_node_count") or 1)
    if len(confirming) >= wanted:
        return []
    have = ", ".join(confirming) or "none"
    text = f"commits should be confirmed by {wanted} standbys, but only {have} of {len(replicas)} replicas can"
    if config.get("synchronous_mode_strict"):
        return [_critical(f"{text}: writes wait until a replica streams")]
    return [_warning(f"{text}: a failover now may lose commits")]


#: Settings whose difference from the pillar changes what a failover costs or loses.
COMPARED = (
    "ttl", "loop_wait", "retry_timeout", "primary_start_timeout", "maximum_lag_on_failover", "synchronous_mode",
    "synchronous_mode_strict", "synchronous_node_count",
)  # fmt: skip


def settings(model, config):
    """The cluster-wide settings in force against the pillar's."""
    if "error" in config:
        return []
    found = []
    if not config.get("failsafe_mode"):
        text = "failsafe_mode is off, an outage of etcd stops all writes: state.apply patroni on a PostgreSQL node"
        found.append(_warning(text))
    differ = [
        f"{key} is {config.get(key)} instead of {model['dcs'][key]}"
        for key in COMPARED
        if key in model["dcs"] and (config.get(key) or False) != (model["dcs"][key] or False)
    ]
    if differ:
        # a cluster is no less whole for that, and a drill measures it by the settings in force
        found.append(_warning(f"settings aren't the pillar's ({'; '.join(differ)}): state.apply patroni", whole=True))
    return found


def balancers(facts):
    """Where HAProxy sends reads and writes against who leads and who follows."""
    found = []
    silent = {name: said["error"] for name, said in facts["balancers"].items() if "error" in said}
    if silent:
        which = "; ".join(f"{name}: {why}" for name, why in silent.items())
        level = "critical" if len(silent) == len(facts["balancers"]) else "warning"
        found.append(Finding(level, f"load balancers don't answer ({which}): see systemctl status haproxy there"))
    if "error" in facts["cluster"]:
        return found
    for name, said in facts["balancers"].items():
        if "servers" in said:
            found += _one_balancer(name, said["servers"], facts["cluster"])
    return found


def _one_balancer(name, servers, cluster):
    found = []
    leader = cluster["leader"]
    writes = stats.up(servers, "leader")
    if len(writes) > 1:
        both = " and ".join(writes)
        found.append(_critical(f"{name} sends writes to {both}: stop Patroni and PostgreSQL on the false one"))
    elif leader and writes != [leader]:
        to = writes[0] if writes else "nobody"
        checks = [row["last_check"] for row in servers if row["backend"] == "leader" and row["server"] == leader]
        text = f"{name} sends writes to {to} instead of {leader} (its last check there: {', '.join(checks) or 'none'})"
        found.append(_critical(f"{text}: see haproxy.servers there"))
    reads = stats.up(servers, "replicas")
    following = sorted(
        member for member, row in cluster["members"].items() if row["state"] == "streaming" and not view.held(row)
    )
    missing = [member for member in following if member not in reads]
    if missing:
        found.append(_warning(f"{name} gives {', '.join(missing)} no reads: see haproxy.servers there"))
    return found


def certificates(model, days):
    """Certificates shown now; they are renewed at ``renew_days``, so less than half of that means nobody renews."""
    found = []
    renew = model["certificates"]["renew_days"]
    for name, left in sorted(days.items()):
        if isinstance(left, dict):
            if "certificate" in left["error"].lower():
                text = f"the certificate of {name} is refused: {left['error']}: state.apply on that node"
                found.append(_critical(text))
        elif left < renew / 2:
            level = "critical" if left < renew / 10 else "warning"
            text = f"the certificate of {name} lives {left:g} more days: state.apply on that node renews it"
            found.append(Finding(level, text, whole=left > 0))
    return found


def lineage(facts):
    """The service on this node that compares its history with the leader's must be alive."""
    said = facts.get("lineage")
    if said is None or said.get("age_s", LINEAGE_SILENT_S + 1) <= LINEAGE_SILENT_S:
        return []
    silent = said.get("error") or f"its last word is {said['age_s']:g} s old"
    text = f"nobody compares this node's history with the leader's ({silent}): systemctl status saltroni-lineage here"
    return [_warning(text, whole=True)]


def watchdog(model, facts):
    """The device is held where it should be; only this node's own can be known."""
    seen, mode = facts["watchdog"], model["patroni"]["watchdog"]
    leads = facts["cluster"].get("leader") == model["self"]["name"]
    if not seen or "error" in seen or mode == "off" or not leads or seen["held"] or seen["held"] is None:
        return []
    if mode == "required":
        return [_critical(f"{seen['device']} isn't held by Patroni, though it is required: restart Patroni here")]
    if seen["exists"]:
        text = f"Patroni doesn't hold {seen['device']}, so nothing stops a frozen leader: let user postgres write to it"
        return [_warning(text, whole=True)]
    return []


def archive(model, facts):
    """A leader's log must reach the archive; only this node's own can be known."""
    seen = facts.get("archive")
    if seen is None or facts["cluster"].get("leader") != model["self"]["name"]:
        return []
    if "error" in seen:
        return [_warning(f"nobody knows what waits for the archive ({seen['error']}): state.apply here", whole=True)]
    wrong = archive_health.sentence(seen)
    return [_warning(f"{wrong}: walg.probe here tells more", whole=True)] if wrong else []


def guarded(model):
    """Whether the lease guard stops a leader that may lead no longer."""
    return model["guard"]["enabled"] and model["guard"]["lease"]


def guards(model, facts):
    """The lease guard of every member answers, and does what the pillar says. Nothing depends on it but safety."""
    wanted = sorted(part for part in ("connections", "lease", "wake") if model["guard"][part])
    found = []
    for name, said in facts["guards"].items():
        if "error" in said:
            text = f"the lease guard of {name} doesn't answer ({said['error']}): systemctl status saltroni-guard there"
            found.append(_warning(text, whole=True))
        elif said.get("stands_back"):
            text = f"the lease guard of {name} stopped PostgreSQL too often to be right ({said.get('last_action')}): "
            found.append(_warning(text + "see journalctl -u saltroni-guard there", whole=True))
        elif said.get("parts") != wanted:
            have = ", ".join(said.get("parts") or []) or "nothing"
            text = f"the lease guard of {name} guards {have} instead of {', '.join(wanted)}: state.apply there"
            found.append(_warning(text, whole=True))
    return found
