"""States for etcd: this node is a member; users have their rights and no others."""

from salt.exceptions import CommandExecutionError

SENTENCES = {
    "start": "start etcd with the data that is here",
    "found": "found the cluster with the other members",
    "join": "join the cluster that has added this member",
    "replace": "replace this member, whose data is lost, and join",
}


def _result(name, result, comment, changes=None):
    return {"name": name, "result": result, "comment": comment, "changes": changes or {}}


def member(name):
    """This node is a serving member of etcd: founded, joined or, with an empty disk, replaced.

    Never restarts a running etcd. Succeeds without a quorum only while too few other members are up to have one.

    name
        what the state is called
    """
    model = __pillar__["saltroni"]
    deadline_s = model["deadlines"]["quorum_s"]
    running = __salt__["service.status"]("etcd")
    enabled = __salt__["service.enabled"]("etcd")
    if running and enabled and __salt__["etcd_cluster.serves"]():
        return _result(name, True, "etcd serves, with a quorum")
    action, lonely = __salt__["etcd_cluster.member_action"](0 if __opts__["test"] else deadline_s)
    if action == "wait":
        return _result(
            name,
            False,
            f"{', '.join(lonely)} answer but found no quorum in {deadline_s} s, and this node's disk is empty: founding anew would make a "
            "second cluster. Start the other members, or restore etcd from a snapshot.",
        )
    if __opts__["test"]:
        return _result(name, None, f"would {SENTENCES[action]}", {"etcd": SENTENCES[action]})
    changes = {}
    try:
        if action == "start":
            if not running:
                changes["etcd"] = "started"
        else:
            if running:
                __salt__["service.stop"]("etcd")
            changes["etcd"] = __salt__["etcd_cluster.member_enter"](action)
    except CommandExecutionError as err:
        return _result(name, False, f"could not {SENTENCES[action]}: {err}", changes)
    if not enabled:
        __salt__["service.enable"]("etcd")
        changes["enabled"] = True
    if not running or action != "start":
        # not waiting for systemd's notice: the first member gets it only when a second one is there
        __salt__["service.start"]("etcd", no_block=True)
    return _served(name, deadline_s, changes)


def _served(name, deadline_s, changes):
    """Wait for the quorum, but only while it can come."""
    step_s = max(1, min(10, deadline_s // 6))
    waited_s = 0
    while waited_s < deadline_s:
        if __salt__["etcd_cluster.serves"](step_s):
            return _result(name, True, f"etcd serves, with a quorum, after at most {waited_s + step_s} s", changes)
        waited_s += step_s
        silent = __salt__["etcd_cluster.silent_peers"]()
        if silent and waited_s >= min(2 * step_s, deadline_s):
            return _result(
                name,
                True,
                f"etcd started; it serves as soon as a majority is there, now silent: {', '.join(silent)}",
                changes,
            )
    return _result(name, False, f"etcd got no quorum in {deadline_s} s. Look at: journalctl -u etcd", changes)


def access(name):
    """etcd's users, roles and rights are as they should be, and nobody gets in without them.

    name
        what the state is called
    """
    if not __salt__["etcd_cluster.serves"]():
        return _result(name, True, "no quorum yet: the member that completes it will do this")
    try:
        missing = __salt__["etcd_cluster.access_missing"]()
        if not missing:
            return _result(name, True, "users and rights are as they should be")
        if __opts__["test"]:
            return _result(name, None, "would make: " + ", ".join(missing), {"made": missing})
        done = __salt__["etcd_cluster.access_grant"]()
    except CommandExecutionError as err:
        return _result(name, False, str(err))
    if not done:
        return _result(name, True, "another member made it all")
    return _result(name, True, "made: " + ", ".join(done), {"made": done})
