"""How a node becomes a member of etcd: found the cluster, join it, or replace its own lost self."""

import shutil
import socket
import time
from pathlib import Path

from saltroni import clusters, processes, wait
from saltroni.etcd import ctl

DATA = Path("/var/lib/etcd")
JOIN = Path("/etc/default/etcd-join")


def data_folder(model):
    """This node's data."""
    return DATA / model["cluster"]


def has_data(model):
    """Whether this node holds etcd's data already."""
    return (data_folder(model) / "member" / "wal").is_dir()


def decide(own_name, own_url, holds_data, known, lonely):
    """What this node must do. Pure.

    Args:
        own_name, own_url: name and peer URL of this member.
        holds_data: whether there is data on its disk.
        known: members by a quorum's word, or None without a quorum among the others.
        lonely: names of others that answer but have no quorum.

    Returns:
        ``start`` (data is there), ``found`` (nobody answers: first start), ``join`` (already added, never started),
        ``replace`` (the cluster knows a member that this empty disk isn't any more, or has dropped this one),
        or ``wait`` (others hold data but have no quorum: founding anew would make a second cluster).
    """
    if known is None:
        if holds_data:
            return "start"
        return "wait" if lonely else "found"  # "wait" passes when a quorum is just being found: see settled()
    mine = [member for member in known if member["peer_url"] == own_url or member["name"] == own_name]
    if holds_data:
        # removed, or added anew by somebody: what is on the disk belongs to a member that is no more
        return "start" if mine and mine[0]["name"] else "replace"
    return "join" if mine and not mine[0]["name"] else "replace"


def settled(look, deadline_s, every_s=1.0):
    """What this node must do, once the others can say: those that found a cluster at this moment have no quorum yet.

    Args:
        look: gives ``(action, lonely names)`` as of now.
        deadline_s: seconds until ``wait`` is taken for an answer.

    Returns:
        the last look.
    """
    latest = []

    def decided():
        latest[:] = look()
        if latest[0] == "wait":
            raise wait.NotYet(f"{', '.join(latest[1])} answer without one")

    try:
        wait.until(decided, "a quorum of the other members", deadline_s, every_s=every_s)
    except wait.DeadlineError:
        return tuple(latest)
    return tuple(latest)


def join_settings(token, members, state):
    """Text of the file that tells etcd, at its first start, whom it belongs to.

    Args:
        members: ``{name: peer URL}``.
        state: ``new`` or ``existing``.
    """
    listed = ",".join(f"{name}={url}" for name, url in sorted(members.items()))
    return (
        "# Managed by Salt: read by etcd at the first start with an empty disk only.\n"
        f'ETCD_INITIAL_CLUSTER="{listed}"\n'
        f'ETCD_INITIAL_CLUSTER_STATE="{state}"\n'
        f'ETCD_INITIAL_CLUSTER_TOKEN="{token}"\n'
    )


def enter(model, action):
    """Carry out ``found``, ``join`` or ``replace``, up to where etcd can be started; returns what was done.

    Raises:
        EtcdError: the cluster refused.
    """
    own = model["self"]["name"]
    others = [name for name in model["by_role"]["etcd"] if name != own]
    own_url = ctl.peer_url(model, own)
    token = f"saltroni-{model['cluster']}"
    if action == "found":
        everyone = {name: ctl.peer_url(model, name) for name in model["by_role"]["etcd"]}
        clusters.write(JOIN, join_settings(token, everyone, "new"), mode=0o644)
        return "founded with " + ", ".join(sorted(everyone))
    aside = set_aside(model)
    done = [f"old data kept in {aside}"] if aside else []
    if action == "replace":
        done += renew(model, own, others)
    known = {member["name"]: member["peer_url"] for member in _quorum(model, others) if member["name"]}
    clusters.write(JOIN, join_settings(token, dict(known, **{own: own_url}), "existing"), mode=0o644)
    return ", ".join(done) or "joined"


#: What etcd answers to a change of its members when it has just got its quorum; it goes by itself.
#: Source: etcd, server/etcdserver/errors.go, ErrUnhealthy and ErrNotEnoughStartedMembers (``strict-reconfig-check``).
PASSING = ("unhealthy cluster", "not enough started members")


def renew(model, name, others):
    """Remove the member ``name`` if the cluster knows it, then add it; returns what was done.

    Raises:
        EtcdError: the cluster refused, or was not settled in time.
    """
    url = ctl.peer_url(model, name)
    done = []

    def renewed():
        try:
            for member in _quorum(model, others):
                if member["peer_url"] == url or member["name"] == name:
                    ctl.run(model, others, "member", "remove", member["id"])
                    done.append(f"member {member['id']} removed")
            ctl.run(model, others, "member", "add", name, f"--peer-urls={url}")
        except ctl.EtcdError as err:
            if any(words in str(err) for words in PASSING):
                raise wait.NotYet(str(err)) from err
            raise

    try:
        wait.until(renewed, f"etcd to accept {name} as a new member", model["deadlines"]["quorum_s"], every_s=1.0)
    except wait.DeadlineError as err:
        raise ctl.EtcdError(str(err)) from err
    return done + ["added as a new member"]


def port_open(address, port, timeout_s=1.0):
    """Whether somebody listens there."""
    try:
        socket.create_connection((address, port), timeout_s).close()
    except OSError:
        return False
    return True


def silent(model, port, own=None):
    """Members whose ``port`` is dead, if they are so many that no quorum can be; else none.

    Args:
        own: a member that isn't asked and counts as there.
    """
    names = model["by_role"]["etcd"]
    dead = [name for name in names if name != own and not port_open(model["nodes"][name]["address"], port)]
    return dead if len(names) - len(dead) <= len(names) // 2 else []


def older_settings():
    """A sentence if etcd runs with settings older than its file, else None.

    ``state.apply`` never restarts etcd; new settings wait for a restart.
    """
    pid = processes.main_pid("etcd")
    try:
        running_since = Path(f"/proc/{pid}").stat().st_mtime
    except OSError:
        return None
    if Path("/etc/default/etcd").stat().st_mtime > running_since + 1:
        return "etcd runs with older settings than /etc/default/etcd: restart it when the other members serve"
    return None


def _quorum(model, others):
    failures = []
    for name in others:
        try:
            return ctl.members(model, [name])
        except ctl.EtcdError as err:
            failures.append(str(err))
    raise ctl.EtcdError("no member with a quorum answers: " + "; ".join(failures))


def set_aside(model):
    """Move data of a member that is no more out of the way; returns where it is, or None."""
    folder = data_folder(model)
    if not folder.exists():
        return None
    if not has_data(model):
        shutil.rmtree(folder)
        return None
    aside = folder.with_name(f"{folder.name}.removed-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    folder.rename(aside)
    return aside
