"""One base backup at a time in a cluster: the key that :mod:`saltroni.drill.busy` looks at. Needs etcd; under Salt only."""

import contextlib

from saltroni.backup.failure import Failure
from saltroni.drill import busy, lock
from saltroni.etcd import gateway


@contextlib.contextmanager
def held(model, identity, since):
    """Hold the key while the block runs; it goes with the process.

    Args:
        model: the pillar's ``saltroni``.
        identity: what this run is called.
        since: now, UTC, for whoever finds it taken.

    Raises:
        Failure: ``busy``; ``unreachable``: etcd doesn't answer, so nobody can say whether another one runs.
    """
    owner = {"drill": identity, "node": model["self"]["name"], "since": since}
    try:
        client = gateway.Client(model, "drill", model["secrets"]["etcd_drill"])
        taken = lock.take(client, busy.backup_key(model), owner)
    except lock.LockHeld as err:
        raise Failure("busy", str(err).replace("another drill runs", "another backup runs")) from err
    except (gateway.EtcdHttpError, KeyError, OSError) as err:
        raise Failure("unreachable", f"etcd can't be asked whether another backup runs: {err}") from err
    with lock.kept(taken, "backup lock"):
        yield taken
