"""etcd by ``etcdctl``, as etcd's user root (its client certificate's common name; there is no password).

Sources: etcd's documentation, *Runtime reconfiguration* (remove a dead member before adding its replacement; the
replacement starts empty with ``initial-cluster-state existing``) and *Role-based access control*.
"""

import json
import subprocess

import requests

from saltroni import access, wait


class EtcdError(RuntimeError):
    """etcdctl failed; the text says at which member and why."""


def client_url(model, name):
    """Where member ``name`` serves clients."""
    return f"https://{model['nodes'][name]['address']}:{model['etcd']['client_port']}"


def peer_url(model, name):
    """Where member ``name`` serves other members."""
    return f"https://{model['nodes'][name]['address']}:{model['etcd']['peer_port']}"


def run(model, names, *arguments, stdin=None, timeout_s=5.0):
    """Run etcdctl against the members ``names`` and return its JSON answer.

    Args:
        model: the pillar's ``saltroni``.
        stdin: what the command reads, a password for example.
        timeout_s: etcdctl's own deadline for connecting and for the command.

    Raises:
        EtcdError: no success.
    """
    crt, key = access.files("etcd-root")
    command = [
        "etcdctl",
        "--endpoints=" + ",".join(client_url(model, name) for name in names),
        f"--cacert={access.CA}",
        f"--cert={crt}",
        f"--key={key}",
        f"--dial-timeout={timeout_s:g}s",
        f"--command-timeout={timeout_s:g}s",
        "--write-out=json",
        *arguments,
    ]
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=2 * timeout_s + 5, check=False
        )
    except FileNotFoundError as err:
        raise EtcdError("etcdctl isn't installed here: run this on a node with role etcd") from err
    except subprocess.TimeoutExpired as err:
        raise EtcdError(f"{arguments[0]} at {', '.join(names)}: no answer in {2 * timeout_s + 5:g} s") from err
    if done.returncode != 0:
        raise EtcdError(f"{' '.join(arguments[:2])} at {', '.join(names)}: {_reason(done.stderr)}")
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else {}


def _reason(stderr):
    lines = []
    for line in stderr.strip().splitlines():
        try:
            lines.append(json.loads(line).get("error", line))
        except ValueError:
            lines.append(line)
    return "; ".join(dict.fromkeys(line for line in lines if line)) or "it failed without a word"


def members(model, names, timeout_s=3.0):
    """Members by a quorum's word: ``[{id, name, peer_url}]``; a member that never started has no name."""
    answer = run(model, names, "member", "list", timeout_s=timeout_s)
    return [
        {
            "id": f"{member['ID']:x}",
            "name": member.get("name", ""),
            "peer_url": member.get("peerURLs", [""])[0],
        }
        for member in answer["members"]
    ]


def alone_up(model, name, timeout_s=2.0):
    """Whether member ``name`` answers for itself, with or without a quorum."""
    try:
        run(model, [name], "endpoint", "status", timeout_s=timeout_s)
    except EtcdError:
        return False
    return True


def healthy(model, name, timeout_s=3.0):
    """Whether a write agreed on by a quorum works through member ``name``."""
    try:
        run(model, [name], "endpoint", "health", timeout_s=timeout_s)
    except EtcdError:
        return False
    return True


def view(model, own):
    """What the other members say: ``(members by quorum or None, names that answer without a quorum)``."""
    lonely = []
    for name in model["by_role"]["etcd"]:
        if name == own:
            continue
        try:
            return members(model, [name]), []
        except EtcdError:
            if alone_up(model, name):
                lonely.append(name)
    return None, lonely


def wait_healthy(model, name, deadline_s):
    """:func:`healthy`, waiting up to ``deadline_s`` seconds for it."""

    def answer():
        if not healthy(model, name):
            raise wait.NotYet("no answer with a quorum")
        return True

    try:
        return wait.until(answer, f"{name} to serve", deadline_s)
    except wait.DeadlineError:
        return False


def password_works(model, name, user, password):
    """Whether ``user`` can log in at member ``name``.

    By etcd's JSON gateway, since etcdctl takes no password from a file; it refuses certificates with a common name.

    Raises:
        EtcdError: the member doesn't answer.
    """
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                client_url(model, name) + "/v3/auth/authenticate",
                json={"name": user, "password": password},
                cert=access.files("etcd"),
                verify=access.CA,
                timeout=5,
            )
        except requests.RequestException as err:
            raise EtcdError(f"{name}: no answer to a log-in: {err}") from err
    return answer.ok
