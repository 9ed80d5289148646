"""The PostgreSQL cluster, asked and changed through Patroni. Works on every node of the cluster.

Questions need this node's certificate only. Changes need the password of Patroni's REST API, which PostgreSQL nodes
have; elsewhere they refuse and name the nodes.

:depends: requests, and psycopg for :func:`failover_test`
"""

import logging

from salt.exceptions import CommandExecutionError

import saltroni.bounded
import saltroni.drill.catalogue
import saltroni.drill.course
import saltroni.drill.peer
import saltroni.drill.ready
import saltroni.drill.rounds
import saltroni.health.gather
import saltroni.health.judge
import saltroni.patroni.changes
import saltroni.patroni.rest
import saltroni.patroni.view
import saltroni.pillar.told
import saltroni.wait
import saltroni.words

LOG = logging.getLogger(__name__)

ERRORS = (
    OSError,  # this node's certificate isn't there
    saltroni.patroni.changes.Refused,
    saltroni.health.gather.CannotAsk,
    saltroni.pillar.told.NotTold,
    saltroni.patroni.rest.RestError,
    saltroni.wait.DeadlineError,
)


def _translated(call, *arguments, **named):
    try:
        return call(saltroni.pillar.told.model(__pillar__), *arguments, **named)
    except ERRORS as err:
        raise CommandExecutionError(saltroni.words.plain(err)) from err


def _health(model):
    return saltroni.health.judge.judge(model, saltroni.health.gather.everything(model))


def _ask(path):
    return _translated(saltroni.patroni.rest.ask_any, path)


def cluster():
    """The cluster on one screen, as Patroni's members see it in etcd.

    Returns ``{scope, leader, paused, members: {name: {role, state, timeline, lag_bytes, host}}}``.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.cluster
    """
    return saltroni.patroni.view.table(_ask("/cluster"))


def leader():
    """Name of the leader, None while there is none.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.leader
    """
    return saltroni.patroni.rest.leader(_ask("/cluster"))


def members():
    """Each member's own word about itself: Patroni's ``/patroni``, asked of every one.

    Returns ``{name: status}``; a member that doesn't answer has ``{"error": why}``.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.members
    """
    return _translated(saltroni.health.gather.members)


def history():
    """Timelines that ended: a list of ``{timeline, lsn, reason, time, new_leader}``, the oldest first.

    Raises CommandExecutionError if no member answers.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.history
    """
    return saltroni.patroni.view.history(_ask("/history"))


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
    ``notes`` say what couldn't be looked at from this node. See :mod:`saltroni.health.judge` for the rules.

    The exit code is 0 for ``ok`` and ``warning``, 2 for ``critical``.

    Raises CommandExecutionError if this node has no certificate to ask with.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.health
    """
    result = _translated(_health)
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
    done = _translated(saltroni.patroni.changes.switchover, candidate, timeout_s)
    _emit(saltroni.pillar.told.model(__pillar__), "switchover/finished", dict(done))
    return done


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
    return _translated(saltroni.patroni.changes.restart, member, timeout_s, only_pending)


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
    return _translated(saltroni.patroni.changes.reinitialize, member, timeout_s)


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
    return _translated(saltroni.patroni.changes.pause, True, timeout_s)


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
    return _translated(saltroni.patroni.changes.pause, False, timeout_s)


def failover_test(
    lb=None,
    writers=4,
    fault="postmaster_killed",
    think_ms=5,
    batch=1,
    rate=0,
    readers=2,
    warm_up_s=3,
    calm_s=3,
    recovery_timeout_s=60,
    whole_timeout_s=120,
    dry_run=False,
    rounds=1,
):
    """Prove that this cluster survives: a real fault on the real leader while writers write through a load balancer.

    Refused unless the cluster is whole (:func:`health`), faults are allowed (``saltroni:drills:allowed``) and no other
    drill runs. The cluster heals by itself, also if this process is killed.

    lb
        the load balancer to write through; the first that reaches the leader without it
    writers
        how many clients write
    fault
        see :func:`drills` for those there are
    think_ms
        pause of a writer after each commit, milliseconds
    batch
        rows that a writer writes in one transaction
    rate
        transactions per second of each writer at most; 0 for as many as there can be
    readers
        how many clients read through the replica port meanwhile
    warm_up_s
        seconds of steady writes before the fault
    calm_s
        seconds of steady writes after which the outage counts as over
    recovery_timeout_s
        seconds after the fault until it is given up that writes come back
    whole_timeout_s
        seconds after the writes until it is given up that the cluster becomes whole, beside what the fault may cost
    dry_run
        check everything, say what would be done and what it may cost, and break nothing
    rounds
        how many drills in a row, each for itself, until one fails

    Returns a dict: ``verdict`` (``passed`` or ``failed``) and ``reasons``; ``outage_s`` beside ``bound_s``; ``lost``,
    ``duplicated``, ``unknown``, ``refused`` rows; ``reads`` through the replica port, ``reads_backwards`` and
    ``stale_reads`` among them; ``old_leader``, ``new_leader``, timelines; ``time_to_whole_s``; ``phases``; the
    ``settings`` in force. It is told to the report as event ``drill/finished``, and kept on this node in
    ``/var/lib/saltroni/drills/<drill>/``, with all nodes' logs of that time, see :mod:`saltroni.drill.record`.
    With several rounds ``outage_s`` and ``time_to_whole_s`` are ``{least, median, most}``, and ``each`` has the rounds.
    With ``dry_run`` it is ``{dry_run, able, plan, bound_s, least_s, terms, ...}``, or ``able: False`` and ``reasons``
    where this fault can't be made here.

    The exit code is 1 for ``failed``, and for a dry run that finds the fault can't be made.

    Raises CommandExecutionError if the drill is refused; nothing was broken then.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.failover_test
        salt-call patroni.failover_test lb=lb2 writers=8 batch=10 rate=50
        salt-call patroni.failover_test fault=patroni_frozen rounds=3
    """
    model = _translated(lambda model: model)
    if int(rounds) < 1:
        raise CommandExecutionError(f"rounds is {rounds}: at least one")
    options = saltroni.drill.course.Options(
        fault=fault,
        balancer=lb,
        writers=int(writers),
        think_s=think_ms / 1000,
        batch=int(batch),
        rate=float(rate),
        readers=int(readers),
        warm_up_s=float(warm_up_s),
        calm_s=float(calm_s),
        recovery_s=float(recovery_timeout_s),
        whole_s=float(whole_timeout_s),
        dry_run=bool(dry_run),
    )
    outside = saltroni.drill.course.Outside(
        health=lambda: _health(model),
        able=lambda nodes, name: _able(model, nodes, name),
        inject=lambda nodes, *arguments: _on(model, nodes, "fault.inject", list(arguments), "fault"),
        emit=lambda verb, data: _emit(model, f"drill/{verb}", data),
        active=lambda nodes: _peers(model).each(nodes, "fault.active", [], "active"),
        logs=lambda *window: _peers(model).each(list(model["nodes"]), "fault.logs", list(window), "text"),
    )
    try:
        result = saltroni.drill.rounds.run(model, options, outside, int(rounds))
    except (saltroni.drill.course.Refused, saltroni.health.gather.CannotAsk) as err:
        raise CommandExecutionError(str(err)) from err
    if result.get("verdict", "passed") != "passed" or result.get("able") is False:
        __context__["retcode"] = 1
    return result


def drill_ready():
    """Whether a drill could begin now, whatever its fault: drills are allowed, the cluster is whole, nothing else runs.

    Returns ``{ready, whole, leader, reasons}``. A backup counts as something that runs; only drills on a schedule mind.

    Raises CommandExecutionError if this node has no certificate to ask with.

    CLI Example:

    .. code-block:: bash

        salt-call patroni.drill_ready
    """
    return _translated(lambda model: saltroni.drill.ready.look(model, _health(model)))


def drills():
    """The catalogue of faults: what each does, whom it strikes, what it needs, and what it may cost on this cluster.

    Returns ``{name: {what, strikes, lasts_s, needs, bound_s, least_s, terms, loses}}``, by the settings in force (by the
    pillar's if no member answers).

    CLI Example:

    .. code-block:: bash

        salt-call patroni.drills
    """
    return _translated(saltroni.drill.catalogue.drills)


def _peers(model):
    def local(function, arguments):
        try:
            return __salt__[function](*arguments)
        except CommandExecutionError as err:
            raise saltroni.drill.peer.PeerError(str(err)) from err

    return saltroni.drill.peer.Peers(model["self"]["name"], __salt__["publish.publish"], local)


def _on(model, nodes, function, arguments, expected):
    """Call ``function`` on ``nodes``, this one and others; returns ``{node: its dict}``."""
    try:
        return _peers(model).all(nodes, function, arguments, expected)
    except saltroni.drill.peer.PeerError as err:
        raise saltroni.drill.course.Refused([str(err)]) from err


def _able(model, nodes, fault):
    """Refuse unless every one of ``nodes`` can be reached and make the fault."""
    told = _on(model, nodes, "fault.able", [fault], "able")
    reasons = [f"{fault} can't be made on {node}: {said['reason']}" for node, said in told.items() if not said["able"]]
    if reasons:
        raise saltroni.drill.course.Unable(reasons)


def _emit(model, what, data):
    """Keep an event for the report and tell the master now, if it is there; if not, it is told later."""
    try:
        __salt__["spool.put"](what, data, data.get("id"), data.get("time"))
        __salt__["spool.send"]()
    except CommandExecutionError as err:
        LOG.warning("%s of cluster %s isn't told yet: %s", what, model["cluster"], err)
