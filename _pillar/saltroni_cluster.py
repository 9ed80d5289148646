"""What a node is told beyond ``pillar/cluster.sls``: defaults, what follows from them, and its secrets.

Configured on the master by ``ext_pillar: [{saltroni_cluster: {}}]``. A pillar that breaks a rule raises here, Salt then
refuses to apply any state and prints why.
"""

import logging
from pathlib import Path

import saltroni.clusters
import saltroni.pillar.model
import saltroni.pillar.pgp
import saltroni.pillar.secrets
import saltroni.pillar.signing

LOG = logging.getLogger(__name__)

FOLDER = saltroni.clusters.FOLDER

#: What minions do by themselves. By the pillar and not by the state ``schedule.present``: that one asks the minion what it
#: has through an event, may miss the answer of a busy one, and takes it for nothing.
#: Source: Salt's documentation, *Job scheduling*, "Schedule (pillar)".
SCHEDULE = {"saltroni": {"function": "spool.attend", "seconds": 15, "maxrunning": 1, "return_job": False}}


def ext_pillar(minion_id, pillar, folder=FOLDER, authorities=saltroni.pillar.signing.CA_FOLDER):
    """The pillar of ``minion_id``.

    Args:
        minion_id: the node's name.
        pillar: what the SLS files of the pillar gave.
        folder: where the master keeps what belongs to clusters.
        authorities: where the CAs are, a folder for each cluster.
    """
    settings = pillar.get("saltroni")
    if not settings:
        return {}
    seen = __grains__.get("mem_total") if __grains__.get("id") == minion_id else None
    model = saltroni.pillar.model.build(settings, {minion_id: seen} if seen else {})
    node = model["nodes"].get(minion_id)
    if node is None:
        raise ValueError(f"{minion_id} is no node of cluster {model['cluster']}: add it to saltroni:nodes")
    try:
        saltroni.clusters.keep(folder, model)
    except OSError:
        # the report needs it, the node doesn't
        LOG.exception("the cluster could not be described for the report")
    own = Path(folder) / model["cluster"]
    kept = saltroni.pillar.secrets.load(own, model["postgresql"]["users"], saltroni.pillar.secrets.for_backups(model))
    backups = model["backup"]["enabled"]
    if saltroni.pillar.pgp.wanted(model):
        kept["pgp"] = _pgp(own, model["cluster"])
    model["self"] = dict(node, name=minion_id)
    model["certificates"]["own"] = saltroni.pillar.signing.certificates(model, minion_id)
    authority = Path(authorities) / model["cluster"] / "ca.crt"
    model["certificates"]["ca"] = authority.read_text(encoding="ascii") if authority.exists() else ""
    model["secrets"] = saltroni.pillar.secrets.for_node(kept, node["roles"], model["drills"]["allowed"], backups)
    result = {"saltroni": model, "schedule": SCHEDULE}
    if "master" in node["roles"]:
        result["x509_signing_policies"] = saltroni.pillar.signing.policies(model)
    return result


def _pgp(folder, cluster):
    """The key that encrypts backups, made when it is first needed; empty until it can be: its node then says so."""
    try:
        return saltroni.pillar.pgp.key(folder, cluster)
    except saltroni.pillar.pgp.PgpError:
        LOG.exception("the key that encrypts backups of %s could not be made", cluster)
        return ""
