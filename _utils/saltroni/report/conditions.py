"""What nodes last told of themselves: certificates, pending restarts, the leader's watchdog and archive. Pure."""

from saltroni.report import events, tidy

SEEN = "node/seen"


def seen(recorded, now):
    """``{certificates: [{node, name, ends, left_days}], pending: [nodes], watchdogs: [{node, device, exists, held}],
    archives: [{node, late, why}]}``.

    Args:
        recorded: events in the order of their times.
        now: an aware datetime.
    """
    latest = {event["node"]: event["data"] for event in recorded if event["kind"] == SEEN}
    certificates, pending, watchdogs, archives = [], [], [], []
    for node, data in sorted(latest.items()):
        named = data.get("certificates") if isinstance(data.get("certificates"), dict) else {}
        for name, end in sorted(named.items()):
            ends = events.moment(end)
            if ends:
                left = (ends - now).total_seconds() / 86400
                certificates.append({"node": node, "name": name, "ends": events.stamp(ends), "left_days": left})
        if data.get("pending_restart") is True:
            pending.append(node)
        watchdog = data.get("watchdog")
        if isinstance(watchdog, dict):
            watchdogs.append(
                {
                    "node": node,
                    "device": tidy.line(watchdog.get("device") or ""),
                    "exists": watchdog.get("exists") is True,
                    "held": watchdog.get("held"),
                }
            )
        archive = data.get("archive")
        if isinstance(archive, dict):
            why = tidy.line(archive.get("why") or "")
            archives.append({"node": node, "late": archive.get("late") is True, "why": why})
    return {"certificates": certificates, "pending": pending, "watchdogs": watchdogs, "archives": archives}
