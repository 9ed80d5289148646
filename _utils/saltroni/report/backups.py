"""Backups and proofs that they can be restored, from the events that they sent. Pure.

A backup's event (``backup/finished``) and a proof's (``proof/finished``) have ``tool``, ``backup``, ``kind``, ``bytes``,
``took_s``, ``verdict`` (``passed`` or ``failed``) and ``reasons``; a proof's also ``recovery_s`` (from an empty folder to a
database that answers) and ``loss_s`` (how far behind the latest commit it was). ``proof/refused`` has only ``reasons``.
A restore of the whole cluster (``restore/finished``, ``restore/undone``) has ``target``, ``backup``, ``leader``,
``last_commit``, ``timeline``, ``took_s`` and ``steps``, the seconds of each. What is missing is no error.
"""

from saltroni.report import tidy

BACKUP, PROOF, REFUSED = "backup/finished", "proof/finished", "proof/refused"
RESTORES = {"restore/finished": "finished", "restore/undone": "undone"}


def of_kind(recorded, *kinds):
    """Backups or proofs in the order of their times."""
    return [_one(event) for event in recorded if event["kind"] in kinds]


def restores(recorded):
    """Restores of the whole cluster, in the order in which they ended."""
    return [_restore(event) for event in recorded if event["kind"] in RESTORES]


def _restore(event):
    data = event["data"]
    steps = data.get("steps") if isinstance(data.get("steps"), dict) else {}
    known = {str(name): tidy.number(seconds) for name, seconds in steps.items()}
    return {
        "time": event["time"],
        "verdict": RESTORES[event["kind"]],
        **{name: str(data[name]) if data.get(name) else None for name in ("target", "backup", "leader", "last_commit")},
        **{name: tidy.number(data.get(name)) for name in ("timeline", "took_s")},
        "steps": {name: seconds for name, seconds in known.items() if seconds is not None},
    }


def _one(event):
    data = event["data"]
    reasons = data.get("reasons") if isinstance(data.get("reasons"), list) else []
    return {
        "time": event["time"],
        "node": event["node"],
        **{name: str(data[name]) if data.get(name) else None for name in ("tool", "backup", "kind")},
        **{name: tidy.number(data.get(name)) for name in ("bytes", "took_s", "recovery_s", "loss_s")},
        "passed": data.get("verdict") == "passed",
        "refused": event["kind"] == REFUSED,
        "reasons": [str(reason) for reason in reasons],
    }


def latest_by_node(found):
    """The latest one of each node; what was refused wasn't one."""
    return {one["node"]: one for one in found if not one["refused"]}
