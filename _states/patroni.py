"""States for Patroni: this node is a member; cluster-wide settings and accounts are what the pillar says.

None of them restarts Patroni or PostgreSQL.
"""

from salt.exceptions import CommandExecutionError


def _result(name, result, comment, changes=None):
    return {"name": name, "result": result, "comment": comment, "changes": changes or {}}


def member(name):
    """Patroni runs, and this node is the leader or follows it, on the leader's timeline.

    Waits for it up to ``saltroni:deadlines:member_s`` seconds. Without etcd there can be no cluster: then Patroni waits
    for etcd by itself and the state says so.

    name
        what the state is called
    """
    deadline_s = __pillar__["saltroni"]["deadlines"]["member_s"]
    running = __salt__["service.status"]("patroni")
    enabled = __salt__["service.enabled"]("patroni")
    if running and enabled:
        seen = __salt__["patroni_member.whole"]()
        if seen["whole"]:
            return _result(name, True, f"Patroni runs, {seen['sentence']}")
    if __salt__["patroni_member.held"]():
        return _result(
            name,
            False,
            "a restore of the cluster goes on and keeps Patroni from starting here. On the master, salt-run restore.show "
            "tells how far it is and how it goes on; then apply again",
        )
    orphan = __salt__["patroni_member.orphaned_wal"]()
    if orphan:
        return _result(
            name,
            False,
            f"{orphan} has WAL, but the data that it belongs to is gone, and PostgreSQL is only copied into an empty folder. "
            "If no other member has the cluster's data, keep this WAL: it may be all that is left of the last commits. "
            f"Else remove {orphan} and apply again",
        )
    changes = {}
    if not running:
        changes["patroni"] = "started"
    if not enabled:
        changes["enabled"] = True
    if __opts__["test"]:
        return _result(name, None if changes else True, "would start Patroni", changes)
    if not enabled:
        __salt__["service.enable"]("patroni")
    if not running:
        __salt__["service.start"]("patroni")
    seen = __salt__["patroni_member.wait"](deadline_s)
    if seen["whole"]:
        return _result(name, True, f"Patroni runs, {seen['sentence']}, after {seen['waited_s']} s", changes)
    if seen["etcd_silent"]:
        waits = ", ".join(seen["etcd_silent"])
        return _result(name, True, f"Patroni runs and waits for etcd; it goes on by itself when {waits} serve", changes)
    return _result(
        name,
        False,
        f"{seen['sentence']}. Patroni's last words:\n"
        + __salt__["cmd.run"](["journalctl", "--unit=patroni", "--lines=3", "--output=cat"], python_shell=False),
        changes,
    )


def _later(name):
    silent = __salt__["patroni_member.etcd_silent"]()
    if silent:
        return _result(
            name, True, f"nothing to do until etcd serves ({', '.join(silent)} silent): a new cluster starts with it"
        )
    return None


def dynamic_config(name):
    """The cluster-wide settings (Patroni's dynamic configuration) say what the pillar says.

    Settings that need a restart of PostgreSQL are shown by ``patroni.health`` as pending.

    name
        what the state is called
    """
    later = _later(name)
    if later:
        return later
    try:
        patch = __salt__["patroni_member.config_differences"]()
        if not patch:
            return _result(name, True, "the cluster-wide settings are as they should be")
        if __opts__["test"]:
            return _result(name, None, "would change the cluster-wide settings", patch)
        __salt__["patroni_member.config_change"](patch)
    except CommandExecutionError as err:
        return _result(name, False, str(err))
    return _result(name, True, "changed; patroni.health tells if a restart is pending", patch)


def accounts(name):
    """Accounts and databases exist as the pillar says. Made on the leader, replicas get them from it.

    name
        what the state is called
    """
    later = _later(name)
    if later:
        return later
    try:
        missing = __salt__["patroni_sql.missing"]()
        if missing is None:
            return _result(name, True, "a replica: the leader does it")
        if not missing:
            return _result(name, True, "accounts and databases are as they should be")
        if __opts__["test"]:
            return _result(name, None, "would make: " + ", ".join(missing), {"made": missing})
        made = __salt__["patroni_sql.make"]()
    except CommandExecutionError as err:
        return _result(name, False, str(err))
    return _result(name, True, "made: " + ", ".join(made or []), {"made": made} if made else {})
