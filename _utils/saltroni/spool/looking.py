"""What a node sees of itself and the report should know, told when it has changed."""

import hashlib
import json
from pathlib import Path

from saltroni import access, clusters
from saltroni.backup import health
from saltroni.health import gather, watchdog
from saltroni.patroni import rest, view
from saltroni.spool import files

STATE = "/var/lib/saltroni-node/seen.json"
#: Lines of Patroni's history that are told at once, the newest ones.
LINES = 100


def look(model, folder=files.FOLDER, state=STATE):
    """Keep events about what has changed since the last look.

    Args:
        model: the pillar's ``saltroni``.
        folder: the spool.
        state: the file that remembers what was told.

    Returns:
        kinds of the events that were kept.

    Raises:
        OSError
    """
    known = _remembered(state)
    seen = {"node": snapshot(model), "history": known.get("history") or []}
    told = []
    if seen["node"] != known.get("node"):
        files.put("node/seen", seen["node"], folder=folder)
        told.append("node/seen")
    for line in _lines(model):
        mark = _mark(line)
        if mark in seen["history"]:
            continue
        files.put("timeline/ended", line, identity=f"timeline-{mark}", happened=line["time"], folder=folder)
        told.append("timeline/ended")
        seen["history"] = [*seen["history"], mark][-500:]
    if told:
        clusters.write(state, json.dumps(seen))
    return told


def snapshot(model):
    """``{certificates: {name: end}, pending_restart, watchdog, archive}``; what can't be asked now is left out."""
    found = {"certificates": {}}
    for name in model["certificates"]["own"]:
        end = _ends(Path(access.files(name)[0]))
        if end:
            found["certificates"][name] = end
    if "patroni" in model["self"]["roles"]:
        try:
            status = rest.Member(model, model["self"]["name"]).status()
        except (rest.RestError, OSError):
            return found
        found["pending_restart"] = bool(status.get("pending_restart"))
        leads = status.get("role") in ("primary", "master")
        if model["patroni"]["watchdog"] != "off" and leads:
            seen = watchdog.look()
            found["watchdog"] = {"device": seen["device"], "exists": seen["exists"], "held": seen["held"]}
        if leads and gather.backed_up(model):
            found["archive"] = archive(gather.archived())
    return found


def archive(seen):
    """``{late, why}`` of what :func:`saltroni.health.gather.archived` saw: only what is told anew when it changes. Pure."""
    if "error" in seen:
        return {"late": True, "why": "settings"}
    late = health.sentence(seen) is not None
    return {"late": late, "why": (seen["failure"] or {}).get("kind") if late else None}


def _ends(path):
    """When the certificate in ``path`` ends, ISO 8601; None where there is none."""
    from cryptography import x509  # comes with Salt

    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.isoformat()
    except (OSError, ValueError):
        return None


def _lines(model):
    """Lines of Patroni's history, from the leader only: others would repeat it."""
    own = model["self"]["name"]
    if "patroni" not in model["self"]["roles"]:
        return []
    try:
        member = rest.Member(model, own)
        if rest.leader(member.get("/cluster")) != own:
            return []
        lines = view.history(member.get("/history"))
    except (rest.RestError, OSError):
        return []
    # Patroni writes time and leader a moment after the line
    return [line for line in lines if line["time"] and line["new_leader"]][-LINES:]


def _mark(line):
    text = json.dumps([line["timeline"], line["lsn"], line["time"], line["new_leader"]])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _remembered(state):
    try:
        with open(state, encoding="utf-8") as file:  # noqa: PTH123
            known = json.load(file)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
