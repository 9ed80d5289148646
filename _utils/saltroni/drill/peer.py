"""What Salt's ``publish.publish`` gave back, told apart. Pure.

It returns ``{minion: value}``; ``{}`` if the master doesn't allow the call, and too if the minion was silent;
``None`` if no minion matches; a plain string where the function raised.
"""


class PeerError(RuntimeError):
    """The other node didn't do it; the text says what to look at."""


def answer(said, node, function, expected):
    """The dict that ``function`` returned on ``node``.

    Args:
        said: what ``publish.publish`` returned.
        node: the node's name.
        function: for the error's text.
        expected: a key that every answer of ours has.

    Raises:
        PeerError: it is anything else.
    """
    if not said:
        raise PeerError(
            f"{function} wasn't done on {node}: either the master doesn't let this node ask for it "
            "(saltroni:drills:allowed in pillar/cluster.sls opens it; then state.apply on the master), "
            f"or {node}'s minion doesn't answer (salt {node} test.ping)"
        )
    value = said.get(node) if isinstance(said, dict) else said
    if isinstance(value, dict) and expected in value:
        return value
    raise PeerError(f"{function} failed on {node}: {str(value).strip() or 'it said nothing'}")
