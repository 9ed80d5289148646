"""What a cluster does that a drill on a schedule must not disturb, by the keys that its doers hold in etcd."""

from saltroni.drill import lock
from saltroni.etcd import gateway


def backup_key(model):
    """The key that a backup holds while it runs, on a lease of its own: ``/saltroni-drill/<cluster>/backup``."""
    return f"/saltroni-drill/{model['cluster']}/backup"


def holder(model, key, client=None):
    """What stands in ``key``, None if it isn't there. Source: *etcd API*, "Range".

    Raises:
        EtcdHttpError: etcd doesn't answer or refuses.
    """
    client = client or gateway.Client(model, "drill", model["secrets"]["etcd_drill"])
    kvs = client.call("/v3/kv/range", {"key": gateway.encode(key)}).get("kvs") or []
    return gateway.decode(kvs[0].get("value")) if kvs else None


def running(model, client=None):
    """``{"backup": what stands in its key or None, "drill": the same of the drill's lock, "restore": the same}``.

    Raises:
        EtcdHttpError: etcd doesn't answer or refuses.
    """
    return {
        "backup": holder(model, backup_key(model), client),
        "drill": holder(model, lock.key(model), client),
        "restore": holder(model, lock.restore_key(model), client),
    }


def busy(model, client=None):
    """Why a drill on a schedule had better wait, as a sentence; None if nothing runs.

    A backup is seen by the key ``/saltroni-drill/<cluster>/backup`` in etcd (:func:`backup_key`): whoever makes a backup
    puts it there with a lease, as :mod:`saltroni.drill.lock` does, and its value says who and since when. A drill is seen
    by its own lock.

    Raises:
        EtcdHttpError: etcd doesn't answer or refuses.
    """
    return sentence(running(model, client))


def sentence(runs):
    """What :func:`running` found, as a sentence; None for nothing. Pure."""
    return next((f"a {what} runs: {who}" for what, who in runs.items() if who is not None), None)
