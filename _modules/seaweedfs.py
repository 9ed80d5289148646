"""The cluster's own storage for backups: SeaweedFS, on the node with role ``s3``."""

from salt.exceptions import CommandExecutionError

import saltroni.seaweedfs
import saltroni.wait

#: A restart takes SeaweedFS 20 s: its one master elects itself.
READY_S = 90


def _do(call, *arguments, **options):
    try:
        return call(*arguments, **options)
    except (saltroni.seaweedfs.SeaweedError, saltroni.wait.DeadlineError) as err:
        raise CommandExecutionError(str(err)) from err


def buckets(timeout_s=READY_S):
    """Names of the buckets that there are, once SeaweedFS serves S3.

    timeout_s
        seconds to wait until it does

    Raises CommandExecutionError if it doesn't.

    CLI Example:

    .. code-block:: bash

        salt-call seaweedfs.buckets
    """
    return _do(saltroni.seaweedfs.ready, __pillar__["saltroni"], float(timeout_s))


def make_bucket(name):
    """Make a bucket, if it isn't there. Nobody else can: the keys that nodes have are for their bucket only.

    name
        the bucket's name

    Raises CommandExecutionError if SeaweedFS doesn't make it.

    CLI Example:

    .. code-block:: bash

        salt-call seaweedfs.make_bucket saltroni-demo
    """
    _do(saltroni.seaweedfs.make_bucket, name)
    return True


def vacuum(timeout_s=1800):
    """Give back the place of what was deleted, as a timer does every hour.

    timeout_s
        seconds that it may take

    CLI Example:

    .. code-block:: bash

        salt-call seaweedfs.vacuum
    """
    _do(saltroni.seaweedfs.shell, "lock", "volume.vacuum -garbageThreshold=0.1", "unlock", timeout_s=float(timeout_s))
    return True
