"""The Python that runs Salt."""

import importlib.util


def has(*packages):
    """Whether it can import ``packages``; asked by states before they trouble pip, which takes seconds.

    CLI Example:

    .. code-block:: bash

        salt-call salt_python.has psycopg requests
    """
    return all(importlib.util.find_spec(package) for package in packages)
