"""The cluster's secrets, on the master, without showing them: what a runner is told or returns stays in the job cache."""

import contextlib

from salt.exceptions import CommandExecutionError

import saltroni.clusters
import saltroni.pillar.kit
import saltroni.pillar.pgp
import saltroni.pillar.pgpass


@contextlib.contextmanager
def _errors():
    try:
        yield
    except (OSError, ValueError, saltroni.pillar.pgp.PgpError) as err:
        raise CommandExecutionError(str(err)) from err


def pgpass(path, cluster=None, folder=saltroni.clusters.FOLDER):
    """Write the applications' passwords into a file that libpq reads (``PGPASSFILE``) and only its owner can.

    path
        the file to write; an existing one is replaced

    cluster
        which cluster, if the master has several

    Returns the path and the users in it, never a password.

    Raises CommandExecutionError if the cluster is unknown or the file can't be written.

    CLI Example:

    .. code-block:: bash

        salt-run secret.pgpass path=/root/.pgpass
    """
    with _errors():
        model = saltroni.clusters.one(cluster, folder)
        lines = saltroni.pillar.pgpass.lines(model, saltroni.pillar.pgpass.passwords(folder, model["cluster"]))
        saltroni.clusters.write(path, "".join(line + "\n" for line in lines))
    return {"path": str(path), "users": sorted(model["postgresql"]["users"])}


def s3(path, profile="default", cluster=None, folder=saltroni.clusters.FOLDER):
    """Take the keys of a foreign storage for backups from a file, so that they stand in no command line.

    path
        a file of AWS's kind (``~/.aws/credentials``): ``aws_access_key_id`` and ``aws_secret_access_key`` below
        ``[PROFILE]``

    profile
        which part of it

    cluster
        which cluster, if the master has several

    Nodes learn them by their next pillar. Raises CommandExecutionError if the file or a key in it is missing, or if the
    storage is a node of this cluster, whose keys are made by themselves.

    CLI Example:

    .. code-block:: bash

        salt-run secret.s3 path=/root/.aws/credentials
    """
    with _errors():
        model = saltroni.clusters.one(cluster, folder)
        return {"cluster": model["cluster"], "secrets": saltroni.pillar.kit.take_keys(folder, model, path, profile)}


def backup_export(path, cluster=None, folder=saltroni.clusters.FOLDER):
    """Write what recovery needs beside the storage itself into one file: keep it where this master's loss can't reach it.

    It holds the storage's keys, what decrypts the backups, and where they are. Whoever has it can read every backup.

    path
        the file to write (JSON, only its owner can read it); an existing one is replaced

    cluster
        which cluster, if the master has several

    Returns the path and the names of what is in it, never a value.

    Raises CommandExecutionError if backups are off or the file can't be written.

    CLI Example:

    .. code-block:: bash

        salt-run secret.backup_export path=/root/demo-backup.json
    """
    with _errors():
        model = saltroni.clusters.one(cluster, folder)
        return {"path": str(path), "secrets": saltroni.pillar.kit.write(folder, model, path)}


def backup_import(path, cluster=None, replace=False, folder=saltroni.clusters.FOLDER):
    """The reverse on a new master, before its cluster's first ``state.apply``: it decrypts what the old one stored.

    path
        the file that :func:`backup_export` wrote

    cluster
        which cluster, if the master has several

    replace
        true: keys that this master has already give way; backups that it encrypted by them can't be read any more

    Returns the names of what was taken.

    Raises CommandExecutionError if the file is damaged or of another cluster, or if this master has other keys.

    CLI Example:

    .. code-block:: bash

        salt-run secret.backup_import path=/root/demo-backup.json
    """
    with _errors():
        return {"secrets": saltroni.pillar.kit.take(folder, cluster, path, replace)}


def pgp_rotate(cluster=None, finish=False, folder=saltroni.clusters.FOLDER):
    """Change the key that encrypts backups, in two steps with a full backup between them.

    First (without ``finish``) a new key is made beside the old one: WAL-G encrypts by both and decrypts by either. Apply the
    state, make a full backup, and wait until retention has removed what only the old key reads. Then ``finish=True`` forgets
    the old one: apply the state again.

    cluster
        which cluster, if the master has several

    finish
        true: forget the old keys

    Returns how many keys there are now.

    Raises CommandExecutionError if there is no key, or a rotation was begun (or not begun) already.

    CLI Example:

    .. code-block:: bash

        salt-run secret.pgp_rotate
        salt-run secret.pgp_rotate finish=True
    """
    with _errors():
        model = saltroni.clusters.one(cluster, folder)
        place = f"{folder}/{model['cluster']}"
        return {"keys": saltroni.pillar.pgp.rotate(place, model["cluster"], finish)}
