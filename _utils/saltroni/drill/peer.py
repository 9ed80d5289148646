"""Other nodes, asked by Salt's ``publish.publish``, and what it gave back told apart.

It returns ``{minion: value}``; ``{}`` if the master doesn't allow the call, and too if the minion was silent;
``None`` if no minion matches; a plain string where the function raised.
"""

from saltroni import bounded

#: How long another node may take to do what it is asked by way of the master (seconds).
TIMEOUT_S = 20


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


class Peers:
    """Functions called on this node and on others, by way of the master.

    Args:
        own: this node's name.
        publish: Salt's ``publish.publish``.
        local: ``(function, arguments)`` -> the function's dict on this node; raises :class:`PeerError`.
    """

    def __init__(self, own, publish, local):
        self._own = own
        self._publish = publish
        self._local = local

    def all(self, nodes, function, arguments, expected):
        """``{node: dict}``; the others first, this node only if all of them answered.

        Args:
            expected: a key that every answer has.

        Raises:
            PeerError: a node didn't do it.
        """
        others = self._others(nodes)
        said = self._published(others, function, arguments)
        told = {node: answer(said, node, function, expected) for node in others}
        if self._own in nodes:
            told[self._own] = self._local(function, arguments)
        return told

    def each(self, nodes, function, arguments, expected):
        """``{node: dict}``; who didn't do it has ``{"error": why}``."""
        told = {}
        try:
            said = self._published(self._others(nodes), function, arguments)
        except PeerError as err:
            said = str(err)
        for node in nodes:
            try:
                own = node == self._own
                told[node] = self._local(function, arguments) if own else answer(said, node, function, expected)
            except PeerError as err:
                told[node] = {"error": str(err)}
        return told

    def _others(self, nodes):
        return [node for node in nodes if node != self._own]

    def _published(self, others, function, arguments):
        if not others:
            return {}
        try:
            return bounded.call(
                self._publish, ",".join(others), function, arguments, tgt_type="list", timeout=TIMEOUT_S,
                deadline_s=TIMEOUT_S + 10, what=f"{function} on {', '.join(others)} by way of the master",
            )  # fmt: skip
        except bounded.TookTooLong as err:
            raise PeerError(str(err)) from err
