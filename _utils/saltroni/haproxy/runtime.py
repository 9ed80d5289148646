"""HAProxy's runtime API on its socket.

Source: HAProxy's management guide, section 9.3 "Unix Socket commands".
"""

import socket

from saltroni.haproxy import stats

SOCKET = "/run/haproxy/admin.sock"


class RuntimeApiError(RuntimeError):
    """HAProxy doesn't answer on its socket or refused; the text says why."""


def ask(command, path=SOCKET, timeout_s=5.0):
    """What HAProxy answers to one command.

    Raises:
        RuntimeApiError: no answer.
    """
    parts = []
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(timeout_s)
            link.connect(path)
            link.sendall(command.encode() + b"\n")
            while part := link.recv(65536):
                parts.append(part)
    except OSError as err:
        raise RuntimeApiError(f"HAProxy doesn't answer on {path} ({err}): is it running on this node?") from err
    return b"".join(parts).decode()


def servers(path=SOCKET):
    """Rows of ``show stat`` that are servers, see :func:`saltroni.haproxy.stats.parse`."""
    try:
        return stats.parse(ask("show stat", path))
    except ValueError as err:
        raise RuntimeApiError(f"{path}: {err}") from err


def set_state(server, state, path=SOCKET):
    """Set ``server`` to ``ready`` or ``drain`` in every backend that has it.

    Returns:
        ``{backend: status}`` as HAProxy shows it afterwards.

    Raises:
        RuntimeApiError: no such server, or HAProxy refused.
    """
    known = servers(path)
    backends = [row["backend"] for row in known if row["server"] == server]
    if not backends:
        names = ", ".join(sorted({row["server"] for row in known}))
        raise RuntimeApiError(f"no backend has a server {server}: there are {names}")
    for backend in backends:
        answer = ask(f"set server {backend}/{server} state {state}", path).strip()
        if answer:
            raise RuntimeApiError(f"{backend}/{server}: {answer}")
    return {row["backend"]: row["status"] for row in servers(path) if row["server"] == server}
