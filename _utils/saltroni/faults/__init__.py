"""Faults that a drill can make, one a file: adding a fault touches nothing else.

A fault's file defines

``SUMMARY``
    what it does, a sentence
``inject(target, deadline_s)``
    makes it on this node; returns what was done as a dict with ``at_unix`` (this node's clock; a moment in the near
    future for what would cut the answer off) and ``heals_by``; whatever lasts must heal by itself after ``deadline_s``
    seconds, armed before the fault is made (see :mod:`saltroni.faults.healer`)
``cost(promise)``
    what it may cost, see :class:`saltroni.failover.promise.Promise`

and, where the default doesn't fit,

``heal(target)``
    ends it; may be called when there is none (what is over in a moment needs nothing: others bring it to its end)
``active(target)``
    whether it lasts, looked at, not remembered (never)
``AIM``
    whom it strikes, see :mod:`saltroni.drill.aims` (``leader``)
``ROLE``
    the role that a node needs for it, None for any (``patroni``)
``LASTS_S``, or ``lasts_s(model)``
    seconds that it lasts in a drill (0: a moment)
``visible_after_s(model)``
    seconds after which writes that go on prove that the cluster has got over it (as long as it lasts)
``TAKES_NODE``
    True if the whole node is gone while it lasts: it can't strike the node that does the drill
``WRITES_DIRECTLY``
    True if a drill also writes to the old leader itself, past HAProxy, to see whether two take writes at once
``ENDS_BY_ITSELF``
    True if it is over when it is over: a drill goes on writing until ``active`` says so
``unable(target)``
    why it can't be made on this machine, or None
``NEEDS``
    what a machine must have for it, in words
``STRIKES``
    instead of ``inject``, for faults made of others: :class:`Strike` after :class:`Strike`

and raises :class:`FaultError` when it can't.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from types import ModuleType


class FaultError(RuntimeError):
    """The fault was not made (or not healed); the text says why."""


@dataclass(frozen=True)
class Target:
    """What a fault aims at on this node."""

    data_dir: str
    unit: str = "patroni.service"
    model: dict = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, model):
        """The target that the pillar's ``saltroni`` describes."""
        data_dir = f"/var/lib/postgresql/{model['postgresql']['version']}/{model['cluster']}"
        return cls(data_dir=data_dir, model=model)


#: When a strike is made: at once with the first, or when a leader takes writes again (the same one, recovered in place, too).
AT_ONCE, AFTER_PROMOTION = "at once", "after promotion"


@dataclass(frozen=True)
class Strike:
    """A fault made on whom ``aim`` names."""

    fault: str
    aim: str
    when: str = AT_ONCE


@dataclass(frozen=True)
class Fault:
    """A fault's file, with what it doesn't define filled in."""

    name: str
    module: ModuleType

    def __getattr__(self, wanted):  # inject, cost, SUMMARY
        return getattr(self.module, wanted)

    def heal(self, target):
        """End it; a fault that is a moment has nothing to end."""
        return self.module.heal(target) if hasattr(self.module, "heal") else {"running": True}

    def active(self, target):
        """Whether it lasts."""
        return hasattr(self.module, "active") and self.module.active(target)

    @property
    def summary(self):
        """What it does."""
        return self.module.SUMMARY

    @property
    def role(self):
        """The role that a node needs for it, None for any."""
        return getattr(self.module, "ROLE", "patroni")

    @property
    def aim(self):
        """Whom it strikes."""
        return self.strikes[0].aim

    @property
    def takes_node(self):
        """Whether the whole node is gone while it lasts."""
        return bool(getattr(self.module, "TAKES_NODE", False))

    @property
    def ends_by_itself(self):
        """Whether a drill must wait until it says that it is over."""
        return bool(getattr(self.module, "ENDS_BY_ITSELF", False))

    @property
    def needs(self):
        """What a machine must have for it."""
        return getattr(self.module, "NEEDS", "")

    @property
    def strikes(self):
        """What a drill makes."""
        alone = (Strike(self.name, getattr(self.module, "AIM", "leader")),)
        return tuple(getattr(self.module, "STRIKES", alone))

    @property
    def single(self):
        """Whether it is a fault on a node, not one made of others."""
        return hasattr(self.module, "inject")

    def lasts_s(self, model):
        """Seconds that it lasts in a drill."""
        if hasattr(self.module, "lasts_s"):
            return float(self.module.lasts_s(model))
        if hasattr(self.module, "LASTS_S"):
            return float(self.module.LASTS_S)
        return max(
            (named(strike.fault).lasts_s(model) for strike in self.strikes if strike.fault != self.name), default=0.0
        )

    def visible_after_s(self, model):
        """Seconds after which writes that go on prove that it is over."""
        if hasattr(self.module, "visible_after_s"):
            return float(self.module.visible_after_s(model))
        return self.lasts_s(model)

    def unable(self, target):
        """Why it can't be made on this machine, or None."""
        return self.module.unable(target) if hasattr(self.module, "unable") else None


def known(path=None):
    """``{name: Fault}`` of all faults in this folder."""
    found = {}
    for entry in pkgutil.iter_modules(path or __path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        if hasattr(module, "SUMMARY"):
            found[entry.name] = Fault(entry.name, module)
    return dict(sorted(found.items()))


def named(name):
    """The fault ``name``.

    Raises:
        FaultError: there is none; names those there are.
    """
    faults = known()
    if name not in faults:
        raise FaultError(f"no fault is called {name!r}: there are {', '.join(faults)}")
    return faults[name]


def may(model, fault):
    """Refuse a fault where nobody allowed it, or where it makes no sense.

    Raises:
        FaultError: says which setting opens it.
    """
    if model["drills"]["allowed"] is not True:
        raise FaultError(
            f"real faults aren't allowed on cluster {model['cluster']}: saltroni:drills:allowed is "
            f"{model['drills']['allowed']}; set it to true in pillar/cluster.sls if nothing depends on this cluster"
        )
    if not fault.single:
        raise FaultError(f"{fault.name} is made of other faults: a drill makes it (patroni.failover_test)")
    if fault.role and fault.role not in model["self"]["roles"]:
        nodes = ", ".join(model["by_role"][fault.role])
        raise FaultError(f"{model['self']['name']} has no role {fault.role}: this fault can be made on {nodes}")
