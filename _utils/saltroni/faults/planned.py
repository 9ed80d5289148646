"""What a person asks this node's Patroni for, as a drill's fault."""

import time

from saltroni.faults import FaultError
from saltroni.patroni import rest

#: Patroni answers when it is done (seconds).
DONE_S = 15.0


def unable(target):
    """Why this node's Patroni can't be asked, or None."""
    if not target.model.get("secrets", {}).get("restapi"):
        return f"{target.model['self']['name']} has no password for changes by Patroni's REST API"
    return None


def asked(target, path, body):
    """Ask for a change and wait for Patroni's answer.

    Returns:
        ``{answer, at_unix, heals_by}``; ``at_unix`` is when it was asked.

    Raises:
        FaultError: refused, with Patroni's words.
    """
    member = rest.Member(target.model, target.model["self"]["name"])
    at = time.time()
    try:
        answer = member.change("POST", path, body, timeout_s=DONE_S)
    except rest.RestError as err:
        raise FaultError(str(err)) from err
    return {"answer": answer, "at_unix": at, "heals_by": "Patroni brings it to its end"}
