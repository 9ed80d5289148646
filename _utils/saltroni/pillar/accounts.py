"""Accounts and databases: what must exist, each with the question whether it is missing.

Made twice by the same statements: by Patroni where a cluster is founded (a psql script, so that a cluster is
complete in whatever order its nodes come), and by the state on the leader whenever the pillar says something new.

Passwords reach PostgreSQL as SCRAM verifiers only (RFC 5802, section 3), so that no log can show them.
"""

import base64
import hashlib
import hmac

ITERATIONS = 4096


def verifier(password, user, cluster):
    """What PostgreSQL stores for ``password``: always the same for the same account, so that it can be compared.

    The salt is derived from the password itself: it differs between accounts and clusters and can't be foreseen.
    """
    salt = hmac.digest(password.encode(), f"{cluster}/{user}".encode(), "sha256")[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt_text}${stored_text}:{server_text}"


def wanted(model):
    """``{user: {password, database, connections}}`` from the pillar, and the drill's own account where allowed."""
    secrets = model["secrets"]
    accounts = {
        user: dict(settings, password=secrets["users"][user]) for user, settings in model["postgresql"]["users"].items()
    }
    if model["drills"]["allowed"]:
        accounts["saltroni_drill"] = {"database": "saltroni_drill", "connections": -1, "password": secrets["drill"]}
    return accounts


def statements(model):
    """``[(sentence, SQL condition "it is missing", SQL)]`` in the order to run them.

    Names come from the pillar's schema (lower-case letters, digits, underscores), so quoting them is enough.
    """
    result = []
    for user, account in sorted(wanted(model).items()):
        limit = account["connections"]
        secret = verifier(account["password"], user, model["cluster"])
        this = f"rolname = '{user}'"
        result += [
            (
                f"account {user}",
                f"NOT EXISTS (SELECT FROM pg_roles WHERE {this})",
                f'CREATE ROLE "{user}" LOGIN',
            ),
            (
                f"password of {user}",
                f"EXISTS (SELECT FROM pg_authid WHERE {this} AND rolpassword IS DISTINCT FROM '{secret}')",
                f"ALTER ROLE \"{user}\" PASSWORD '{secret}'",
            ),
            (
                f"connection limit of {user}",
                f"EXISTS (SELECT FROM pg_roles WHERE {this} AND rolconnlimit <> {limit})",
                f'ALTER ROLE "{user}" CONNECTION LIMIT {limit}',
            ),
        ]
        if account["database"]:
            result += _database(user, account["database"])
    return result


def _database(user, database):
    exists = f"SELECT FROM pg_database WHERE datname = '{database}'"
    public = (
        f"SELECT FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a "
        f"WHERE d.datname = '{database}' AND a.grantee = 0"
    )
    return [
        (f"database {database}", f"NOT EXISTS ({exists})", f'CREATE DATABASE "{database}" OWNER "{user}"'),
        (
            f"database {database} is closed to others",
            f"EXISTS ({public})",
            f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        ),
    ]


#: What a drill may know of a member's past, and nothing else: the history file of the timeline that it is on. The function
#: reads one file as its owner, a superuser, and takes no argument.
HISTORY = """
CREATE OR REPLACE FUNCTION public.saltroni_history() RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_read_file('pg_wal/' || lpad(upper(to_hex(timeline)), 8, '0') || '.history', 0, 1048576, true)
    FROM (SELECT CASE WHEN pg_is_in_recovery()
        THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline, w.received_tli)
              FROM pg_control_checkpoint() c, pg_control_recovery() r LEFT JOIN pg_stat_wal_receiver w ON true)
        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END) AS own(timeline)
$$"""


def functions(model):
    """``[(database, sentence, condition, SQL)]`` of functions, see :func:`statements`."""
    if not model["drills"]["allowed"]:
        return []
    body = HISTORY.split("$$")[1]
    exists = f"SELECT FROM pg_proc WHERE proname = 'saltroni_history' AND prosrc = $body${body}$body$"
    closed = "REVOKE ALL ON FUNCTION public.saltroni_history() FROM PUBLIC"
    given = 'GRANT EXECUTE ON FUNCTION public.saltroni_history() TO "saltroni_drill"'
    held = "has_function_privilege('saltroni_drill', 'pg_catalog.pg_switch_wal()', 'EXECUTE')"
    switch = 'GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO "saltroni_drill"'
    return [
        ("saltroni_drill", "function saltroni_history", f"NOT EXISTS ({exists})", f"{HISTORY}; {closed}; {given}"),
        ("saltroni_drill", "drills begin a segment of their own", f"NOT {held}", switch),
    ]


def script(model):
    """The statements for ``psql``, each run only where it is missing."""
    lines = ["-- Managed by Salt: accounts of a new cluster. Run by Patroni where the cluster is founded."]
    for sentence, missing, sql in statements(model):
        lines.append(f"-- {sentence}")
        lines.append(f"SELECT $saltroni${sql}$saltroni$ WHERE {missing} \\gexec")
    for database, sentence, missing, sql in functions(model):
        lines += [f"-- {sentence}", f'\\connect "{database}"']
        lines.append(f"SELECT $saltroni${sql}$saltroni$ WHERE {missing} \\gexec")
    return "\n".join(lines) + "\n"
