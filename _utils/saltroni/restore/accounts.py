"""The cluster's own accounts after a restore: their passwords may have been others at that moment.

Those of applications are made by ``patroni_sql.make``; these are what Patroni itself and its replicas connect with. Before
Patroni lets a member lead, it asks it for its timeline by a replication connection, so they must be right in the restored
data already (the step *promote*). The step *accounts* sets them again, by what the pillar says then.
"""

from saltroni.backup import local
from saltroni.pillar import accounts

#: PostgreSQL's account -> the secret.
OWN = {"postgres": "superuser", "replicator": "replication", "rewind": "rewind"}


def statements(model):
    """SQL that sets the passwords, as verifiers like PostgreSQL's own; waits for no standby: none may be there. Pure."""
    made = ["SET synchronous_commit = local", "SET log_statement = 'none'", "SET log_min_error_statement = 'panic'"]
    for name, secret in OWN.items():
        verifier = accounts.verifier(model["secrets"][secret], name, model["cluster"])
        made.append(f"ALTER ROLE \"{name}\" PASSWORD '{verifier}'")
    return made


def reset(model, settings):
    """Set them on this node, which must lead.

    Raises:
        Failure
    """
    local.ask(settings, "; ".join(statements(model)))
    return sorted(OWN)
