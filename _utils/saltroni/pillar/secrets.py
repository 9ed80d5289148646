"""Passwords of a cluster: made once, kept in one file on the master, handed to the roles that need them."""

import contextlib
import fcntl
import json
import os
import secrets
import string
from pathlib import Path

from saltroni import clusters

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32

#: Which role is told which secret. ``users`` stands for all application users.
NEEDED = {
    "patroni": ("superuser", "replication", "rewind", "restapi", "etcd_patroni", "etcd_guard", "drill", "users"),
    "etcd": ("etcd_patroni", "etcd_guard", "etcd_drill"),
    "haproxy": (),
    "master": (),
}
#: What every node is told too where drills are allowed, so that a drill can be called anywhere.
DRILL = ("drill", "etcd_drill")
NAMES = ("superuser", "replication", "rewind", "restapi", "etcd_patroni", "etcd_guard", "drill", "etcd_drill")


def new():
    """A fresh password, letters and digits, about 190 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


@contextlib.contextmanager
def _locked(path):
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def load(folder, users):
    """The cluster's secrets; missing ones are made and kept.

    Args:
        folder: the cluster's folder on the master.
        users: names of the application users.

    Returns:
        ``{name: password, ..., "users": {user: password}}``

    Raises:
        OSError: the folder can't be written.
        ValueError: the file was damaged; it is never overwritten then, since the cluster's passwords are in it.
    """
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secrets.json"
    with _locked(folder / "secrets.lock"):
        known = {}
        if path.exists():
            try:
                known = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as err:
                raise ValueError(f"{path} is damaged ({err}): restore it from a backup of the master") from err
        kept = {name: known.get(name) or new() for name in NAMES}
        kept["users"] = dict(known.get("users", {}))
        for user in users:
            kept["users"].setdefault(user, new())
        if kept != known:
            clusters.write(path, json.dumps(kept, indent=1, sort_keys=True))
    return kept


def for_node(kept, roles, drills_allowed):
    """The part of ``kept`` that a node with ``roles`` is told."""
    names = {name for role in roles for name in NEEDED[role]}
    if drills_allowed:
        names.update(DRILL)
    return {name: kept[name] for name in sorted(names)}
