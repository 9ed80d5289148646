"""Whether a drill could begin now, whatever its fault."""

from saltroni.drill import busy
from saltroni.etcd import gateway


def look(model, health, running=busy.running):
    """What speaks against it.

    Args:
        model: the pillar's ``saltroni``.
        health: ``patroni.health``'s dict.
        running: tells what runs, see :func:`saltroni.drill.busy.running`.

    Returns:
        ``{ready, whole, leader, drill, backup, restore, reasons}``; ``drill``, ``backup`` and
        ``restore`` say who does one now.
    """
    reasons, runs = [], {"backup": None, "drill": None, "restore": None}
    if model["drills"]["allowed"] is not True:
        reasons.append(f"saltroni:drills:allowed isn't true for cluster {model['cluster']}")
    if not health["whole"]:
        reasons += ["the cluster isn't whole", *health["reasons"]]
    try:
        runs = running(model) if "etcd_drill" in model["secrets"] else runs
        said = busy.sentence(runs)
    except (gateway.EtcdHttpError, OSError) as err:
        said = str(err)
    reasons += [said] if said else []
    return {"ready": not reasons, "whole": health["whole"], "leader": health["leader"], **runs, "reasons": reasons}
