"""How a drill connects to PostgreSQL: TLS, the server's name verified, as the drill's own user.

The user ``saltroni_drill`` owns the database of the same name and nothing else.
"""

from saltroni import access

USER = "saltroni_drill"


class DatabaseError(RuntimeError):
    """The drill's database can't be used; the text says where and why."""


def driver():
    """psycopg 3.

    Raises:
        DatabaseError: Salt's Python has none here.
    """
    try:
        import psycopg  # the state of the node puts it into Salt's Python; other functions work without
    except ImportError as err:
        raise DatabaseError(f"Salt's Python has no psycopg here ({err}): state.apply node") from err
    return psycopg


def parameters(model, node, port):
    """Connection parameters for ``node`` (a member, or a load balancer in front of them).

    The name is verified, the address is connected to: nothing depends on a resolver.
    """
    return {
        "host": node,
        "hostaddr": model["nodes"][node]["address"],
        "port": port,
        "user": USER,
        "dbname": USER,
        "password": model["secrets"]["drill"],
        "sslmode": "verify-full",
        "sslrootcert": access.CA,
        "gssencmode": "disable",
        "application_name": "saltroni drill",
    }


def writes(model, balancer):
    """Parameters for writes through a load balancer."""
    return parameters(model, balancer, model["haproxy"]["ports"]["leader"])


def reads(model, balancer):
    """Parameters for reads from replicas through a load balancer."""
    return parameters(model, balancer, model["haproxy"]["ports"]["replicas"])


def member(model, name):
    """Parameters for one member itself."""
    return parameters(model, name, model["postgresql"]["port"])


def ask(where, query, arguments=(), timeout_s=5):
    """Rows of one query in a connection of its own.

    Args:
        where: see :func:`parameters`.
        timeout_s: for connecting, and for the statement.

    Raises:
        DatabaseError: no answer, or an error.
    """
    psycopg = driver()
    limits = {"connect_timeout": int(timeout_s), "options": f"-c statement_timeout={int(timeout_s)}s"}
    try:
        with psycopg.connect(**where, **limits, autocommit=True) as connection:
            cursor = connection.execute(query, arguments)
            return cursor.fetchall() if cursor.description else []
    except psycopg.Error as err:
        raise DatabaseError(f"{where['host']}:{where['port']}: {str(err).strip()}") from err
