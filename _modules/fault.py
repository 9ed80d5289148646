"""Real faults on this node, for drills. Refused where the pillar doesn't say ``saltroni:drills:allowed: true``."""

import time

from salt.exceptions import CommandExecutionError

import saltroni.drill.logs
import saltroni.faults
import saltroni.pillar.told


def _ready(name, allowed=True):
    try:
        model = saltroni.pillar.told.model(__pillar__)
        fault = saltroni.faults.named(name)
        if allowed:
            saltroni.faults.may(model, fault)
    except (saltroni.pillar.told.NotTold, saltroni.faults.FaultError) as err:
        raise CommandExecutionError(str(err)) from err
    return model, fault


def inject(name, deadline_s=60, expires_unix=None):
    """Make a fault on this node.

    name
        which, see :func:`active` for those there are
    deadline_s
        seconds after which a lasting fault heals by itself, even if minion, master and caller are dead
    expires_unix
        do nothing if this node's clock is past this time: a command that was held up must not strike later

    Returns ``{fault, node, at_unix, now_unix, heals_by, ...}``: this node's clock right after the fault, and now.
    Faults that cut the answer off strike a second later: ``at_unix`` is in the future then.

    Raises CommandExecutionError if it is refused or can't be made.

    CLI Example:

    .. code-block:: bash

        salt-call fault.inject postmaster_killed
    """
    model, fault = _ready(name)
    if expires_unix is not None and time.time() > float(expires_unix):
        late_s = time.time() - float(expires_unix)
        raise CommandExecutionError(f"{name} was asked for {late_s:.1f} s too late: not made")
    if not 0 <= float(deadline_s) <= 600:
        raise CommandExecutionError(f"deadline_s is {deadline_s}: a fault may last at most 600 s")
    target = saltroni.faults.Target.of(model)
    reason = fault.unable(target)
    if reason:
        raise CommandExecutionError(f"{name} can't be made on {model['self']['name']}: {reason}")
    return {**_done(model, name, fault.inject, target, float(deadline_s)), "now_unix": time.time()}


def able(name):
    """Whether a fault can be made on this node: it is allowed, the node has the role and the means, and nothing lasts.

    name
        which, see :func:`inject`

    Returns ``{fault, node, able, reason}``; ``reason`` is None if it can. Nothing is changed.

    CLI Example:

    .. code-block:: bash

        salt-call fault.able node_lost
    """
    reason = None
    try:
        model, fault = _ready(name)
        target = saltroni.faults.Target.of(model)
        reason = fault.unable(target)
        if reason is None and fault.active(target):
            reason = f"it lasts already: fault.heal {name}"
    except (CommandExecutionError, saltroni.faults.FaultError) as err:
        reason = str(err)
    return {"fault": name, "node": __opts__["id"], "able": reason is None, "reason": reason}


def heal(name):
    """End a fault on this node; harmless when there is none, and allowed everywhere.

    name
        which, see :func:`inject`

    Returns ``{fault, node, running}``.

    Raises CommandExecutionError if it can't be healed.

    CLI Example:

    .. code-block:: bash

        salt-call fault.heal patroni_frozen
    """
    model, fault = _ready(name, allowed=False)
    if not fault.single:
        raise CommandExecutionError(f"{name} is made of other faults: heal those (fault.active)")
    return _done(model, name, fault.heal, saltroni.faults.Target.of(model))


def active():
    """Faults that last on this node now, as seen, not as remembered.

    Returns ``{node, active: [names], known: {name: what it does}}``. Works where faults aren't allowed, too.

    CLI Example:

    .. code-block:: bash

        salt-call fault.active
    """
    try:
        model = saltroni.pillar.told.model(__pillar__)
    except saltroni.pillar.told.NotTold as err:
        raise CommandExecutionError(str(err)) from err
    target = saltroni.faults.Target.of(model)
    faults = saltroni.faults.known()
    here = [
        name
        for name, fault in faults.items()
        if fault.single and (fault.role is None or fault.role in model["self"]["roles"]) and fault.active(target)
    ]
    return {
        "node": model["self"]["name"],
        "active": here,
        "known": {name: fault.summary for name, fault in faults.items()},
    }


def logs(since_unix, until_unix):
    """What PostgreSQL's, Patroni's, etcd's, HAProxy's and our own services on this node logged in a window.

    since_unix
        from this time on, seconds since 1970
    until_unix
        to this time; the window may be an hour long

    Returns ``{node, text, cut_bytes}``: at most 200 KiB; where that isn't enough the middle is left out, which a line
    says.

    Raises CommandExecutionError if the journal can't be read.

    CLI Example:

    .. code-block:: bash

        salt-call fault.logs $(($(date +%s) - 60)) $(date +%s)
    """
    try:
        return {"node": __opts__["id"], **saltroni.drill.logs.read(since_unix, until_unix)}
    except saltroni.drill.logs.LogsError as err:
        raise CommandExecutionError(str(err)) from err


def _done(model, name, call, *arguments):
    try:
        answer = call(*arguments)
    except saltroni.faults.FaultError as err:
        raise CommandExecutionError(f"{name} on {model['self']['name']}: {err}") from err
    return {"fault": name, "node": model["self"]["name"], **answer}
