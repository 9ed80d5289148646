"""Accounts and databases of the cluster, made on its leader. For states.

:depends: psycopg
"""

from salt.exceptions import CommandExecutionError

import saltroni.pillar.accounts

SOCKET = "/var/run/postgresql"


def _connect(model, database="postgres"):
    import psycopg  # put into Salt's Python by the state that needs it

    return psycopg.connect(
        host=SOCKET,
        port=model["postgresql"]["port"],
        user="postgres",
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def script():
    """The psql script that makes the accounts of a new cluster; passwords are in it as SCRAM verifiers.

    CLI Example:

    .. code-block:: bash

        salt-call --out=quiet patroni_sql.script
    """
    return saltroni.pillar.accounts.script(__pillar__["saltroni"])


def missing():
    """What the pillar wants and this node's PostgreSQL lacks, as sentences; None if it is no leader.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_sql.missing
    """
    return _each(lambda connection, sentence, sql: sentence)


def make():
    """Make what :func:`missing` lists; returns the sentences of what was made; None if this node is no leader.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_sql.make
    """

    def run(connection, sentence, sql):
        connection.execute(sql)
        return sentence

    return _each(run)


def _each(act):
    import psycopg

    model = __pillar__["saltroni"]
    try:
        with _connect(model) as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                return None
            done = _wanted(connection, saltroni.pillar.accounts.statements(model), act)
        for database, *statement in saltroni.pillar.accounts.functions(model):
            if not _exists(model, database):
                done.append(statement[0])  # only asked: its database isn't made yet
                continue
            with _connect(model, database) as connection:
                done += _wanted(connection, [statement], act)
        return done
    except psycopg.Error as err:
        raise CommandExecutionError(f"PostgreSQL on {model['self']['name']}: {str(err).strip()}") from err


def _exists(model, database):
    with _connect(model) as connection:
        return bool(connection.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchall())


def _wanted(connection, statements, act):
    return [
        act(connection, sentence, sql)
        for sentence, condition, sql in statements
        if connection.execute(f"SELECT {condition}").fetchone()[0]
    ]
