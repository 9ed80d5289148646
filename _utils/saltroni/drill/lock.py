"""One drill at a time in a cluster: a key in etcd that lives as long as the drill's process does.

The key hangs on a lease. A thread keeps it alive; when the process dies, so does the lease, and the key with it.

Source: etcd's documentation, *etcd API*, "Lease API".
"""

import contextlib
import json
import threading
import time

from saltroni.etcd import gateway

TTL_S = 30
KEEP_ALIVE_S = 7


class LockHeld(RuntimeError):
    """Somebody else has the lock; the text says who."""


class LockLost(RuntimeError):
    """The lease couldn't be kept: another drill may have begun."""


def key(model):
    """The lock's key."""
    return f"/saltroni-drill/{model['cluster']}/lock"


def restore_key(model):
    """The key that stands from the beginning of a whole-cluster restore to its end, whoever dies meanwhile."""
    return f"/saltroni-drill/{model['cluster']}/restore"


class Lock:
    """The held lock. Use :func:`held`.

    etcd itself may be what a drill takes away. Its leases don't run out while it has no leader, and begin anew with the
    next one (etcd, ``lease/lessor.go``, ``Promote``): most often the lock is still ours when etcd is back. If not it is
    taken again. Whoever took it in between still has it then, as a drill lasts longer than :data:`KEEP_ALIVE_S`; only a
    holder who slept himself can't know, and has lost it.

    Args:
        client: an :class:`saltroni.etcd.gateway.Client`.
        lease: the key's lease.
        again: takes the lock again, returns the new lease.
    """

    def __init__(self, client, lease, again=None, clock=time.monotonic):
        self._client = client
        self._lease = lease
        self._take_again = again
        self._clock = clock
        self._asked = clock()
        self._alive_until = clock() + TTL_S
        self._ended = threading.Event()
        self._one_asks = threading.Lock()
        self._gone = None

    def keep(self):
        """Keep the lease alive until :meth:`end`; the thread's work."""
        while not self._gone and not self._ended.wait(KEEP_ALIVE_S):
            self._ask()

    def _ask(self):
        with self._one_asks:
            asked = self._clock()
            slept_s, self._asked = asked - self._asked, asked
            # what isn't kept now may be kept in the next round
            with contextlib.suppress(gateway.EtcdHttpError):
                left_s = int(self._client.call("/v3/lease/keepalive", {"ID": self._lease}).get("TTL", 0))
                if left_s <= 0:
                    left_s = self._again(slept_s)
                self._alive_until = asked + left_s

    def _again(self, slept_s):
        if slept_s > TTL_S or not self._take_again:
            self._gone = f"etcd doesn't know the lease any more, and was last asked {slept_s:.0f} s ago"
            return 0
        try:
            self._lease = self._take_again()
        except LockHeld as err:
            self._gone = str(err)
            return 0
        return TTL_S

    def check(self):
        """Refuse to go on without the lock.

        Raises:
            LockLost: somebody else has it, or may have.
        """
        if not self._gone and self._clock() > self._alive_until:
            self._ask()  # etcd may be back since the last round
        if self._gone or self._clock() > self._alive_until:
            raise LockLost(f"the drill's lock in etcd is lost: {self._gone or 'it could not be kept alive'}")

    def end(self):
        """Give the lock back; if etcd doesn't answer, the lease ends by itself."""
        self._ended.set()
        with contextlib.suppress(gateway.EtcdHttpError):
            self._client.call("/v3/lease/revoke", {"ID": self._lease})


def _same(value, owner):
    try:
        return json.loads(value).get("drill") == owner["drill"]
    except ValueError:
        return False


def take(client, name, owner):
    """Take the lock ``name``.

    Args:
        client: an :class:`saltroni.etcd.gateway.Client`.
        name: the key.
        owner: ``{drill, node, since}``, what others are told.

    Raises:
        LockHeld: somebody else has it.
        gateway.EtcdHttpError: etcd doesn't answer or refuses.
    """

    def put():
        return _put(client, name, owner)

    return Lock(client, put(), put)


def _put(client, name, owner):
    """Put the key if it isn't there; returns its lease."""
    lease = client.call("/v3/lease/grant", {"TTL": str(TTL_S)})["ID"]
    answer = client.call("/v3/kv/txn", gateway.put_if_absent(name, json.dumps(owner), lease))
    present = gateway.found(answer) or "{}"
    if answer.get("succeeded"):
        return lease
    if not _same(present, owner):
        with contextlib.suppress(gateway.EtcdHttpError):
            client.call("/v3/lease/revoke", {"ID": lease})
        raise LockHeld(f"another drill runs in this cluster: {present}")
    # a try whose answer was lost has put our own key before, maybe with a lease that nobody keeps
    body = {"key": gateway.encode(name), "value": gateway.encode(json.dumps(owner)), "lease": lease}
    client.call("/v3/kv/put", body)
    return lease


def refuse_restore(client, model):
    """Refuse while the whole cluster is being restored.

    Raises:
        LockHeld, gateway.EtcdHttpError
    """
    found = client.call("/v3/kv/range", {"key": gateway.encode(restore_key(model))}).get("kvs")
    if found:
        raise LockHeld(f"a restore goes on in this cluster: {gateway.decode(found[0].get('value'))}")


@contextlib.contextmanager
def kept(lock, name):
    """Keep a lock that was taken while the block runs, in a thread of this name; then give it back."""
    keeper = threading.Thread(target=lock.keep, name=name, daemon=True)
    keeper.start()
    try:
        yield lock
    finally:
        lock.end()
        keeper.join(timeout=2 * KEEP_ALIVE_S)


@contextlib.contextmanager
def held(model, drill, since):
    """Hold the cluster's drill lock while the block runs.

    Args:
        model: the pillar's ``saltroni``.
        drill: this drill's id.
        since: now, UTC, for whoever finds the lock taken.

    Raises:
        LockHeld, gateway.EtcdHttpError: see :func:`take`.
    """
    client = gateway.Client(model, "drill", model["secrets"]["etcd_drill"])
    refuse_restore(client, model)
    lock = take(client, key(model), {"drill": drill, "node": model["self"]["name"], "since": since})
    with kept(lock, "drill lock"):
        yield lock
