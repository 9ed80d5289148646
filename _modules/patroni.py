"""The PostgreSQL cluster, asked and changed through Patroni. Works on every node of the cluster.

Questions need this node's certificate only. Changes need the password of Patroni's REST API, which PostgreSQL nodes
have; elsewhere they refuse and name the nodes.

:depends: requests, and psycopg for :func:`failover_test`
"""

from salt.exceptions import CommandExecutionError

import saltroni.changes
import saltroni.gather
import saltroni.health
import saltroni.pillar
import saltroni.rest
import saltroni.view
import saltroni.wait

ERRORS = (
    saltroni.changes.Refused,
    saltroni.pillar.NotTold,
    saltroni.rest.RestError,
    saltroni.wait.DeadlineError,
)


def _translated(call, *arguments, **named):
    try:
        return call(saltroni.pillar.model(__pillar__), *arguments, **named)
    except ERRORS as err:
        raise CommandExecutionError(str(err)) from err


def _ask(path):
    return _translated(saltroni.rest.ask_any, path)


def cluster():
    """The cluster on one screen, as Patroni's members see it in etcd.

    Returns ``{scope, leader, paused, members: {name: {role, state, timeline, lag_bytes, host}}}``.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.cluster
    """
    return saltroni.view.table(_ask("/cluster"))


def leader():
    """Name of the leader, None while there is none.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.leader
    """
    return saltroni.rest.leader(_ask("/cluster"))


def members():
    """Each member's own word about itself: Patroni's ``/patroni``, asked of every one.

    Returns ``{name: status}``; a member that doesn't answer has ``{"error": why}``.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.members
    """
    return _translated(saltroni.gather.members)


def history():
    """Timelines that ended: a list of ``{timeline, lsn, reason, time, new_leader}``, the oldest first.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.history
    """
    return saltroni.view.history(_ask("/history"))


def dynamic_config():
    """The cluster-wide settings in force. They are changed by the state ``patroni.dynamic_config``, from the pillar.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.dynamic_config
    """
    return _ask("/config")


def health():
    """Whether the cluster is well, by what etcd, Patroni, HAProxy and the certificates say themselves.

    Returns ``{verdict, whole, reasons, notes, ...facts}``. ``verdict`` is ``ok``, ``warning`` or ``critical``;
    ``reasons`` are sentences that say what to do; ``whole`` tells if nothing is missing that a failover needs;
    ``notes`` say what couldn't be looked at from this node. See :mod:`saltroni.health` for the rules.

    The exit code is 0 for ``ok`` and ``warning``, 2 for ``critical``.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.health
    """
    model = _translated(lambda model: model)
    result = saltroni.health.judge(model, saltroni.gather.everything(model))
    if result["verdict"] == "critical":
        __context__["retcode"] = 2
    return result


def switchover(candidate=None, timeout_s=60):
    """Hand leadership over (planned), and wait until the new leader leads.

    candidate
        who shall lead; without it Patroni chooses
    timeout_s
        seconds until it gives up waiting

    Returns ``{old_leader, new_leader, timeline, took_s}``.

    Raises CommandExecutionError if it is refused (with Patroni's words), or not done in time.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.switchover pg2
    """
    return _translated(saltroni.changes.switchover, candidate, timeout_s)


def restart(member=None, timeout_s=120, only_pending=False):
    """Restart PostgreSQL on one member. Restarting the leader stops writes meanwhile: hand over first.

    member
        whose PostgreSQL; this node's own without it
    timeout_s
        seconds that it may take
    only_pending
        do nothing where no setting waits for a restart

    Returns ``{member, answer, pending_restart}``.

    Raises CommandExecutionError if it is refused or not done in time.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.restart pg3 only_pending=True
    """
    return _translated(saltroni.changes.restart, member, timeout_s, only_pending)


def reinitialize(member, timeout_s=600):
    """Throw a replica's data away and copy it anew from the leader, and wait until it streams.

    member
        the replica; the leader is refused
    timeout_s
        seconds that the copy may take

    Returns ``{member, answer, timeline, took_s}``.

    Raises CommandExecutionError if it is refused or not done in time.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.reinitialize pg3
    """
    return _translated(saltroni.changes.reinitialize, member, timeout_s)


def pause(timeout_s=60):
    """Switch automatic failover off for the whole cluster, and wait until every member knows.

    timeout_s
        seconds until it gives up waiting

    Returns ``{paused, members}``.

    Raises CommandExecutionError if it is refused or a member doesn't hear of it in time.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.pause
    """
    return _translated(saltroni.changes.pause, True, timeout_s)


def resume(timeout_s=60):
    """Switch automatic failover on again, and wait until every member knows.

    timeout_s
        seconds until it gives up waiting

    Returns ``{paused, members}``.

    Raises CommandExecutionError if it is refused or a member doesn't hear of it in time.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.resume
    """
    return _translated(saltroni.changes.pause, False, timeout_s)
