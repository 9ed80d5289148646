"""Backups and proofs that they can be restored, from the events that they sent. Pure.

A backup's event (``backup/finished``) and a proof's (``proof/finished``) have ``tool``, ``backup``, ``kind``, ``bytes``,
``took_s``, ``verdict`` (``passed`` or ``failed``) and ``reasons``; a proof's also ``recovery_s`` (from an empty folder to a
database that answers) and ``loss_s`` (how far behind the latest commit it was). What is missing is no error.
"""

from saltroni.report import tidy

BACKUP, PROOF = "backup/finished", "proof/finished"


def of_kind(recorded, kind):
    """Backups or proofs in the order of their times."""
    return [_one(event) for event in recorded if event["kind"] == kind]


def _one(event):
    data = event["data"]
    reasons = data.get("reasons") if isinstance(data.get("reasons"), list) else []
    return {
        "time": event["time"],
        "node": event["node"],
        **{name: str(data[name]) if data.get(name) else None for name in ("tool", "backup", "kind")},
        **{name: tidy.number(data.get(name)) for name in ("bytes", "took_s", "recovery_s", "loss_s")},
        "passed": data.get("verdict") == "passed",
        "reasons": [str(reason) for reason in reasons],
    }


def latest_by_node(found):
    """The latest one of each node."""
    return {one["node"]: one for one in found}
