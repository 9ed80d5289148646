"""This load balancer's servers, as HAProxy sees them, and its limits."""

import logging

from salt.exceptions import CommandExecutionError

import saltroni.haproxy.descriptors
import saltroni.haproxy.runtime

LOG = logging.getLogger(__name__)


def servers(backend=None):
    """The servers behind this load balancer.

    backend
        only those of ``leader``, ``replicas`` or ``synchronous``

    Returns a list of ``{backend, server, status, up, last_check, check_code, sessions, sessions_total, checks_failed,
    unchanged_s}``.

    Raises CommandExecutionError if HAProxy doesn't answer on its socket.

    CLI Example:

    .. code-block:: bash

        salt-call haproxy.servers leader
    """
    rows = _translated(saltroni.haproxy.runtime.servers)
    return [row for row in rows if backend in (None, row["backend"])]


def drain(server):
    """Give ``server`` no new connections by this load balancer; those it has live on. Until :func:`ready` or a reload.

    server
        the node's name

    Returns ``{backend: status}``.

    Raises CommandExecutionError if there is no such server or HAProxy refuses.

    CLI Example:

    .. code-block:: bash

        salt-call haproxy.drain pg2
    """
    return _translated(saltroni.haproxy.runtime.set_state, server, "drain")


def ready(server):
    """Give ``server`` connections again, as its health checks allow.

    server
        the node's name

    Returns ``{backend: status}``.

    Raises CommandExecutionError if there is no such server or HAProxy refuses.

    CLI Example:

    .. code-block:: bash

        salt-call haproxy.ready pg2
    """
    return _translated(saltroni.haproxy.runtime.set_state, server, "ready")


def connection_limit(asked):
    """How many of the connections asked for this node can grant.

    HAProxy doesn't start with a ``maxconn`` beyond its file descriptors, see :mod:`saltroni.haproxy.descriptors`.

    asked
        connections that the pillar wants

    Returns the smaller of ``asked`` and what the hard limit of open files suffices for; a smaller one is logged.

    Raises CommandExecutionError if the node grants next to nothing.

    CLI Example:

    .. code-block:: bash

        salt-call haproxy.connection_limit 4000
    """
    descriptors = saltroni.haproxy.descriptors.granted()
    possible = saltroni.haproxy.descriptors.connections(descriptors)
    if possible < 1:
        raise CommandExecutionError(f"this node grants {descriptors} open files: raise LimitNOFILE of haproxy.service")
    if possible < asked:
        LOG.warning("%s connections asked for, but %s open files suffice for %s", asked, descriptors, possible)
    return min(int(asked), possible)


def _translated(call, *arguments):
    try:
        return call(*arguments)
    except saltroni.haproxy.runtime.RuntimeApiError as err:
        raise CommandExecutionError(str(err)) from err
