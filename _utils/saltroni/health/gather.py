"""What the parts of a cluster say about themselves, asked of all at the same time. No judgement: that is health's.

Everything here is a question that changes nothing. What doesn't answer is a fact too: ``{"error": why}``.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from saltroni import access, words
from saltroni.backup import health as archive
from saltroni.backup import settings as backup_settings
from saltroni.haproxy import stats
from saltroni.health import handshake, watchdog
from saltroni.patroni import rest, view

TIMEOUT_S = 3.0
#: A replica that is behind and replays nothing for this long (seconds) stands still.
STILL_S = 3.0
#: What the service that compares histories leaves on its own node.
LINEAGE = Path("/run/saltroni-lineage/state.json")


class CannotAsk(RuntimeError):
    """This node has nothing to prove itself with, so what others answer would mean nothing."""


def _attempt(call, *arguments):
    try:
        return call(*arguments)
    except (rest.RestError, requests.RequestException, OSError, ValueError, KeyError) as err:
        return {"error": words.plain(err)}


def _get(model, url):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, cert=access.client(model), verify=access.CA, timeout=TIMEOUT_S)


def _etcd(model, name):
    url = f"https://{model['nodes'][name]['address']}:{model['etcd']['client_port']}/health"
    said = _get(model, url).json()
    return {"healthy": str(said.get("health")).lower() == "true", "reason": said.get("reason", "")}


def _balancer(model, name):
    url = f"https://{model['nodes'][name]['address']}:{model['haproxy']['ports']['stats']}/stats;csv"
    answer = _get(model, url)
    answer.raise_for_status()
    return {"servers": stats.parse(answer.text)}


def _guard(model, name):
    answer = _get(model, f"https://{model['nodes'][name]['address']}:{model['guard']['port']}/")
    answer.raise_for_status()
    return answer.json()


def _status(model, name):
    return rest.Member(model, name, TIMEOUT_S).status()


def members(model):
    """``/patroni`` of every member, or ``{"error": why}``."""
    names = model["by_role"]["patroni"]
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        return dict(zip(names, pool.map(lambda name: _attempt(_status, model, name), names), strict=True))


def endpoints(model):
    """Where certificates are shown: ``{"node service": (address, port, is it PostgreSQL)}``."""
    found = {}
    places = (
        ("etcd", "etcd", model["etcd"]["client_port"], False),
        ("patroni", "Patroni", model["patroni"]["port"], False),
        ("patroni", "PostgreSQL", model["postgresql"]["port"], True),
        ("haproxy", "HAProxy's statistics", model["haproxy"]["ports"]["stats"], False),
    )
    for role, service, port, postgresql in places:
        for name in model["by_role"][role]:
            found[f"{name} {service}"] = (model["nodes"][name]["address"], port, postgresql)
    return found


def everything(model):
    """Facts for :func:`saltroni.health.judge.judge`.

    Returns:
        ``{cluster, config, members, leader_later, still, lineage, etcd, balancers, guards,
        certificates_days, watchdog, archive}``.
        ``leader_later`` is the leader's status asked after all others were, so that nobody may be ahead of it; see
        :func:`standing_still` and :func:`lineage` for the next two.

    Raises:
        CannotAsk: this node's own certificate is missing or can't be used.
    """
    try:
        context = access.context(model)
    except OSError as err:
        raise CannotAsk(f"this node's own certificate can't be used ({err}): salt-call state.apply") from err
    with ThreadPoolExecutor(max_workers=24) as pool:

        def ask(names, call):
            return {name: pool.submit(_attempt, call, model, name) for name in names}

        asked = {
            "members": ask(model["by_role"]["patroni"], _status),
            "etcd": ask(model["by_role"]["etcd"], _etcd),
            "balancers": ask(model["by_role"]["haproxy"], _balancer),
            "guards": ask(model["by_role"]["patroni"] if model["guard"]["enabled"] else [], _guard),
            "certificates_days": _certificates(model, pool, context),
        }
        single = {
            "cluster": pool.submit(_attempt, rest.ask_any, model, "/cluster", TIMEOUT_S),
            "config": pool.submit(_attempt, rest.ask_any, model, "/config", TIMEOUT_S),
        }
        facts = {kind: {name: one.result() for name, one in group.items()} for kind, group in asked.items()}
        facts.update({kind: one.result() for kind, one in single.items()})
    if "error" not in facts["cluster"]:
        facts["cluster"] = view.table(facts["cluster"])
    leader = facts["cluster"].get("leader")
    facts["leader_later"] = _attempt(_status, model, leader) if leader in model["by_role"]["patroni"] else None
    facts["still"] = standing_still(model, facts)
    facts["lineage"] = lineage() if "patroni" in model["self"]["roles"] else None
    facts["watchdog"] = _attempt(watchdog.look) if "patroni" in model["self"]["roles"] else None
    facts["archive"] = archived() if backed_up(model) and "patroni" in model["self"]["roles"] else None
    return facts


def backed_up(model):
    """Whether the pillar wants backups."""
    return bool(model.get("backup", {}).get("enabled"))


def archived(settings=backup_settings.FILE):
    """What of this member's log waits for the archive, see :func:`saltroni.backup.health.look`."""
    try:
        return archive.look(backup_settings.load(settings))
    except (backup_settings.SettingsError, OSError) as err:
        return {"error": str(err)}


def standing_still(model, facts, clock=time.monotonic, sleep=time.sleep):
    """Replicas that are behind what the leader had written and replay nothing for :data:`STILL_S`: ``{name: place}``.

    One that is behind and moves isn't among them: that is lag.
    """
    mark = ((facts["leader_later"] or {}).get("xlog") or {}).get("location")
    first = {
        name: replayed(status)
        for name, status in facts["members"].items()
        if isinstance(replayed(status), int) and name != facts["cluster"].get("leader")
    }
    if not isinstance(mark, int):
        return {}
    waiting, end = {name: place for name, place in first.items() if place < mark}, clock() + STILL_S
    while waiting and clock() < end:
        sleep(0.2)
        for name in list(waiting):
            place = replayed(_attempt(_status, model, name))
            if place is None or place != waiting[name]:
                del waiting[name]  # it moves, or doesn't answer, which is told elsewhere
    return waiting


def replayed(status):
    """How far a member has replayed by its own word, None if it doesn't say."""
    return (status.get("xlog") or {}).get("replayed_location")


def lineage(path=LINEAGE):
    """What this node's own comparison with the leader's history says: ``{age_s, verdict, sentence, held}``."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {**said, "age_s": round(time.time() - said["at_unix"], 1)}
    except (OSError, ValueError, KeyError, TypeError) as err:
        return {"error": str(err)}


def _certificates(model, pool, context):
    return {
        name: pool.submit(_attempt, handshake.days_left, address, port, context, postgresql)
        for name, (address, port, postgresql) in endpoints(model).items()
    }
