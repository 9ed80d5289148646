"""The cluster's etcd: who is in it, whether it has a quorum, replacing a member.

Run on a node with role ``etcd``.

:depends: etcdctl (Debian's etcd-client), requests
"""

from salt.exceptions import CommandExecutionError

import saltroni.etcd.ctl
import saltroni.etcd.membership
import saltroni.etcd.users
import saltroni.wait


def _model():
    return __pillar__["saltroni"]


def members():
    """Members by a quorum's word: a list of ``{id, name, peer_url}``; a member that never started has no name.

    Raises CommandExecutionError without a quorum.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.members
    """
    model = _model()
    try:
        return saltroni.etcd.ctl.members(model, model["by_role"]["etcd"])
    except saltroni.etcd.ctl.EtcdError as err:
        raise CommandExecutionError(str(err)) from err


def leader():
    """Name of etcd's own leader (not PostgreSQL's), or None.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.leader
    """
    return next((name for name, facts in health()["members"].items() if facts.get("leader")), None)


def health():
    """Whether each member serves, who leads, how large the store is, and which alarms are raised.

    Returns ``{verdict, reasons, members}``; the exit code is 2 when the verdict is ``critical``.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.health
    """
    model = _model()
    facts, reasons = {}, []
    for name in model["by_role"]["etcd"]:
        try:
            status = saltroni.etcd.ctl.run(model, [name], "endpoint", "status")[0]["Status"]
            facts[name] = {
                "leader": status["leader"] == status["header"]["member_id"],
                "version": status["version"],
                "size_bytes": status["dbSize"],
                "healthy": saltroni.etcd.ctl.healthy(model, name),
                "alarms": [str(error) for error in status.get("errors") or []],
            }
        except saltroni.etcd.ctl.EtcdError as err:
            facts[name] = {"healthy": False, "error": str(err), "alarms": []}
            reasons.append(f"{name} doesn't answer: {err}. Look at: systemctl status etcd")
        reasons += [f"{name} raised an alarm: {alarm}" for alarm in facts[name]["alarms"]]
    serving = sum(1 for fact in facts.values() if fact["healthy"])
    pending = saltroni.etcd.membership.older_settings() if "etcd" in model["self"]["roles"] else None
    if pending:
        reasons.append(pending)
    verdict = "critical" if serving <= len(facts) // 2 else "warning" if reasons else "ok"
    if verdict == "critical":
        reasons.insert(0, f"no quorum: {serving} of {len(facts)} members serve")
        __context__["retcode"] = 2
    return {"verdict": verdict, "reasons": reasons, "members": facts}


def replace_member(name):
    """Drop the member ``name`` and add it anew, for a node whose data is lost; its ``state.apply`` then joins it.

    A node that comes back with an empty disk does this by itself when its state is applied.

    name
        a node with role ``etcd`` that doesn't run etcd any more

    Returns the members afterwards.

    Raises CommandExecutionError if the member still serves, is unknown, or the others have no quorum.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.replace_member etcd3
    """
    model = _model()
    if name not in model["by_role"]["etcd"]:
        raise CommandExecutionError(f"{name} has no role etcd: it is one of {', '.join(model['by_role']['etcd'])}")
    if saltroni.etcd.ctl.alone_up(model, name):
        raise CommandExecutionError(f"{name} still serves: stop etcd there first (systemctl stop etcd)")
    others = [other for other in model["by_role"]["etcd"] if other != name]
    try:
        saltroni.etcd.membership.renew(model, name, others)
        return saltroni.etcd.ctl.members(model, others)
    except saltroni.etcd.ctl.EtcdError as err:
        raise CommandExecutionError(str(err)) from err


def member_action(deadline_s=0):
    """What the state ``etcd_cluster.member`` would do here: ``(action, lonely names)``. For states.

    deadline_s
        how long others that have no quorum may take to find one, seconds
    """
    model = _model()
    own = model["self"]["name"]
    own_url = saltroni.etcd.ctl.peer_url(model, own)

    def look():
        known, lonely = saltroni.etcd.ctl.view(model, own)
        holds_data = saltroni.etcd.membership.has_data(model)
        return saltroni.etcd.membership.decide(own, own_url, holds_data, known, lonely), lonely

    return saltroni.etcd.membership.settled(look, float(deadline_s))


def member_enter(action):
    """Carry out what :func:`member_action` said, up to where etcd can be started. For states."""
    try:
        return saltroni.etcd.membership.enter(_model(), action)
    except (saltroni.etcd.ctl.EtcdError, OSError) as err:
        raise CommandExecutionError(str(err)) from err


def serves(deadline_s=0):
    """Whether this node's member serves with a quorum, waiting up to ``deadline_s`` seconds for it.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.serves 30
    """
    model = _model()
    return saltroni.etcd.ctl.wait_healthy(model, model["self"]["name"], deadline_s)


def silent_peers():
    """Other members whose port for members is dead, if so many are that no quorum can be; else none. For states."""
    model = _model()
    return saltroni.etcd.membership.silent(model, model["etcd"]["peer_port"], own=model["self"]["name"])


def access_missing():
    """What users, roles or rights etcd lacks, as sentences. For states.

    CLI Example:

    .. code-block:: bash

        salt-call etcd_cluster.access_missing
    """
    model = _model()
    try:
        return [step[0] for step in saltroni.etcd.users.steps(model, model["self"]["name"])]
    except saltroni.etcd.ctl.EtcdError as err:
        raise CommandExecutionError(str(err)) from err


def access_grant():
    """Make what :func:`access_missing` lists; returns the sentences of what was made. For states."""
    model = _model()
    try:
        return saltroni.etcd.users.grant(model, model["self"]["name"], model["deadlines"]["quorum_s"])
    except saltroni.wait.DeadlineError as err:
        raise CommandExecutionError(str(err)) from err
