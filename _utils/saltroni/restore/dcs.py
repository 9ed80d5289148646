"""Patroni's keys in etcd around a restore.

While nobody leads, what the former leader left there decides who may lead: the members that confirmed its commits
(``sync``), how far it was (``status``), on which timeline (``history``). All that is of a past which is given up. What
stays are the cluster-wide settings (``config``), and ``initialize``: while it is there no node founds a cluster of its own.

Source: Patroni 4.0.7, ``dcs/__init__.py`` (names of keys), ``ha.py``: ``_is_healthiest_node``, ``bootstrap``,
``_run_cycle``.
"""

from saltroni.drill import lock
from saltroni.etcd import gateway
from saltroni.wait import NotYet, until

#: Below ``/saltroni/<cluster>/``.
PAST = ("status", "optime/leader", "history", "sync", "failover", "failsafe")
LEADER, INITIALIZE = "leader", "initialize"


def prefix(model):
    """Where Patroni keeps the cluster's keys."""
    return f"/saltroni/{model['cluster']}/"


def patroni(model):
    """A client that may touch Patroni's keys."""
    return gateway.Client(model, "patroni", model["secrets"]["etcd_patroni"])


def drill(model):
    """A client that may touch the marks of what goes on."""
    return gateway.Client(model, "drill", model["secrets"]["etcd_drill"])


def value(client, key):
    """What stands in a key, None without it."""
    pairs = client.call("/v3/kv/range", {"key": gateway.encode(key)}).get("kvs") or []
    return gateway.decode(pairs[0].get("value")) if pairs else None


def forgetting(base, system_id):
    """The transaction that forgets the past, unless somebody leads. Pure. Source: *etcd API*, "Transaction"."""
    deletions = [{"request_delete_range": {"key": gateway.encode(base + name)}} for name in PAST]
    put = {"key": gateway.encode(base + INITIALIZE), "value": gateway.encode(str(system_id))}
    return {
        "compare": [
            {"key": gateway.encode(base + LEADER), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}
        ],
        "success": [*deletions, {"request_put": put}],
        "failure": [{"request_range": {"key": gateway.encode(base + LEADER)}}],
    }


def forget(model, system_id, deadline_s, client=None):
    """Forget who led and how far it was, and whose the cluster's data are from now on.

    Args:
        model: the pillar's ``saltroni``, of a PostgreSQL node.
        system_id: the system identifier of the data that will lead.
        deadline_s: how long to wait for the former leader's lease to end.

    Raises:
        DeadlineError: somebody leads.
        gateway.EtcdHttpError
    """
    client = client or patroni(model)

    def forgotten():
        answer = client.call("/v3/kv/txn", forgetting(prefix(model), system_id))
        if not answer.get("succeeded"):
            raise NotYet(f"{gateway.found(answer)} holds the lease")

    until(forgotten, "the former leader's lease to end", deadline_s, every_s=1.0)


def mark(model, text, client=None):
    """Say that a restore goes on: no drill, backup or proof begins meanwhile.

    Raises:
        gateway.EtcdHttpError
    """
    body = {"key": gateway.encode(lock.restore_key(model)), "value": gateway.encode(text)}
    (client or drill(model)).call("/v3/kv/put", body)


def unmark(model, client=None):
    """Say that it is over."""
    (client or drill(model)).call("/v3/kv/deleterange", {"key": gateway.encode(lock.restore_key(model))})
