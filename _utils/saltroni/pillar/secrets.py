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
    "s3": ("s3_access_key", "s3_secret_key"),
}
#: What a PostgreSQL node is told too where backups are on: the storage's keys, what encrypts (one for each tool), and the
#: account in etcd by which one backup at a time is made. Those who are told nothing of a foreign storage's keys wait.
BACKUP = ("s3_access_key", "s3_secret_key", "backup_cipher", "pgp", "etcd_drill")
#: What every node is told too where drills are allowed, so that a drill can be called anywhere.
DRILL = ("drill", "etcd_drill")
NAMES = ("superuser", "replication", "rewind", "restapi", "etcd_patroni", "etcd_guard", "drill", "etcd_drill")


def new():
    """A fresh password, letters and digits, about 190 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


@contextlib.contextmanager
def locked(path):
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def for_backups(model):
    """Names of secrets that are made for backups. Keys of a foreign storage aren't: somebody must say them."""
    chosen = model["backup"]
    made = list(NEEDED["s3"]) if model["by_role"]["s3"] else []
    return made + (["backup_cipher"] if chosen["enabled"] and chosen["tool"] == "pgbackrest" else [])


def load(folder, users, more=(), given=None):
    """The cluster's secrets; missing ones are made and kept, and what isn't used any more is kept too.

    Args:
        folder: the cluster's folder on the master.
        users: names of the application users.
        more: further names to make.
        given: ``{name: value}`` that somebody brought from elsewhere; they replace what was known.

    Returns:
        ``{name: password, ..., "users": {user: password}}``

    Raises:
        OSError: the folder can't be written.
        ValueError: the file was damaged; it is never overwritten then, since the cluster's passwords are in it.
    """
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secrets.json"
    with locked(folder / "secrets.lock"):
        known = {}
        if path.exists():
            try:
                known = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as err:
                raise ValueError(f"{path} is damaged ({err}): restore it from a backup of the master") from err
        kept = {**known, **{name: known.get(name) or new() for name in (*NAMES, *more)}, **(given or {})}
        kept["users"] = dict(known.get("users", {}))
        for user in users:
            kept["users"].setdefault(user, new())
        if kept != known:
            clusters.write(path, json.dumps(kept, indent=1, sort_keys=True))
    return kept


def for_node(kept, roles, drills_allowed, backups=False):
    """The part of ``kept`` that a node with ``roles`` is told."""
    names = {name for role in roles for name in NEEDED[role]}
    if drills_allowed:
        names.update(DRILL)
    if backups and "patroni" in roles:
        names.update(BACKUP)
    return {name: kept[name] for name in sorted(names) if kept.get(name)}
