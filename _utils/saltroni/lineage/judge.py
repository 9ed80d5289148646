"""What a member's last checkpoint and the leader's log say together. Pure."""

from saltroni.lineage import history, wal

LEADER, SAME, FORKED, UNKNOWN = "leader", "same", "forked", "unknown"


def judge(own, seen):
    """Verdict and sentence.

    Args:
        own: ``{in_recovery, checkpoint, redo, timeline, time_unix, history}``; ``history`` is this node's file of the
            leader's timeline, None without one.
        seen: ``{leads, timeline, history, data, refused, gone}`` of whom this node follows, or ``{"error": why}``, or
            None if it follows nobody.

    Returns:
        ``(verdict, sentence)``; only ``forked`` is a proof of something bad.
    """
    if not own["in_recovery"]:
        return LEADER, "it leads"
    if not seen or "error" in seen:
        return UNKNOWN, (seen or {}).get("error") or "it follows nobody"
    if not seen["leads"]:
        return UNKNOWN, "it follows one that doesn't lead"
    if own["timeline"] > seen["timeline"]:
        return UNKNOWN, f"it is on timeline {own['timeline']}, whom it follows only on {seen['timeline']}"
    if own["history"] is not None and seen["history"] is not None:
        apart = history.difference(history.parse(own["history"]), history.parse(seen["history"]))
        if apart:
            return FORKED, f"timeline {seen['timeline']} was begun twice: {apart}"
    return _checkpoint(own, seen)


def _checkpoint(own, seen):
    what = f"its checkpoint at {history.place(own['checkpoint'])} on timeline {own['timeline']}"
    if seen.get("refused"):
        return FORKED, f"{what} isn't in the leader's history ({seen['refused']})"
    if seen.get("gone"):
        return UNKNOWN, f"the leader has no log any more of {what}"
    there = wal.is_checkpoint(seen["data"], own["checkpoint"], own)
    if there is None:
        return UNKNOWN, f"the leader sent only {len(seen['data'])} bytes from {what} on"
    if there:
        return SAME, f"{what} is in the leader's log"
    return FORKED, f"the leader's log has something else where {what} is"
