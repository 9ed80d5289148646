"""All faults, with what each may cost by the settings in force."""

from saltroni import faults
from saltroni.failover.promise import Promise
from saltroni.patroni import rest


def bounds(model, config=None):
    """``{fault: {what, bound_s, least_s, terms, loses}}``.

    Args:
        model: the pillar's ``saltroni``.
        config: Patroni's dynamic configuration, where it is known.
    """
    promise = Promise.of(model, config)
    return {name: {"what": fault.summary, **fault.cost(promise).told()} for name, fault in faults.known().items()}


def drills(model):
    """See ``patroni.drills``."""
    try:
        config = rest.ask_any(model, "/config")
    except (rest.RestError, OSError):
        config = None
    told = bounds(model, config)
    for name, fault in faults.known().items():
        told[name].update(
            strikes=[f"{strike.fault} on {strike.aim}, {strike.when}" for strike in fault.strikes],
            lasts_s=fault.lasts_s(model),
            needs=fault.needs,
        )
    return told
