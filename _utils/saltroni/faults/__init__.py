"""Faults that a drill can make, one a file: adding a fault touches nothing else.

A fault's file defines

``SUMMARY``
    what it does, a sentence
``ROLE``
    the role that a node needs for it
``inject(target, deadline_s)``
    makes it; returns what was done as a dict; whatever lasts must heal by itself after ``deadline_s`` seconds, armed
    before the fault is made
``heal(target)``
    ends it; may be called when there is none
``active(target)``
    whether it lasts, looked at, not remembered
``visible_after_s(model)``
    seconds after which writes that go on prove that the cluster has got over it

and raises :class:`FaultError` when it can't.
"""

import importlib
import pkgutil
from dataclasses import dataclass


class FaultError(RuntimeError):
    """The fault was not made (or not healed); the text says why."""


@dataclass(frozen=True)
class Target:
    """What a fault aims at on this node."""

    data_dir: str
    unit: str = "patroni.service"

    @classmethod
    def of(cls, model):
        """The target that the pillar's ``saltroni`` describes."""
        return cls(data_dir=f"/var/lib/postgresql/{model['postgresql']['version']}/{model['cluster']}")


def known(path=None):
    """``{name: module}`` of all faults in this folder."""
    found = {}
    for entry in pkgutil.iter_modules(path or __path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        if hasattr(module, "inject"):
            found[entry.name] = module
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
    if fault.ROLE not in model["self"]["roles"]:
        nodes = ", ".join(model["by_role"][fault.ROLE])
        raise FaultError(f"{model['self']['name']} has no role {fault.ROLE}: this fault can be made on {nodes}")
