"""This node's certificates.

:depends: cryptography (comes with Salt)
"""

from salt.exceptions import CommandExecutionError

import saltroni.pillar.certificates


def current(name):
    """Whether the certificate ``name`` is as it should be: key, CA, names, and enough days left.

    Asked by states before they trouble the CA.

    name
        a role (``etcd``, ``patroni``, ``haproxy``, ``master``) or ``etcd-root``

    Raises CommandExecutionError if this node has no such certificate by its pillar.

    CLI Example:

    .. code-block:: bash

        salt-call certificate.current patroni
    """
    return problem(name) is None


def problem(name):
    """Why the certificate ``name`` will be made anew by the next ``state.apply``; None if it won't.

    CLI Example:

    .. code-block:: bash

        salt-call certificate.problem patroni
    """
    model = __pillar__["saltroni"]
    own = model["certificates"]["own"]
    if name not in own:
        raise CommandExecutionError(f"{name}: this node has only the certificates {', '.join(sorted(own))}")
    return saltroni.pillar.certificates.own_problem(model, name)
