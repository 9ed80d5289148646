"""The cluster's passwords, on the master, without showing them: what a runner returns stays in the job cache."""

from salt.exceptions import CommandExecutionError

import saltroni.clusters
import saltroni.pillar.pgpass


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
    try:
        model = saltroni.clusters.one(cluster, folder)
        lines = saltroni.pillar.pgpass.lines(model, saltroni.pillar.pgpass.passwords(folder, model["cluster"]))
        saltroni.clusters.write(path, "".join(line + "\n" for line in lines))
    except (OSError, ValueError) as err:
        raise CommandExecutionError(str(err)) from err
    return {"path": str(path), "users": sorted(model["postgresql"]["users"])}
