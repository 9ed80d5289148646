"""A password file for libpq.

Source: PostgreSQL's documentation, *The Password File*: ``host:port:database:user:password``.
"""

import json
from pathlib import Path


def passwords(folder, cluster):
    """Passwords of the applications' users.

    Raises:
        OSError: there are none yet: no node has asked for its pillar.
    """
    path = Path(folder) / cluster / "secrets.json"
    return json.loads(path.read_text(encoding="utf-8"))["users"]


def lines(model, users):
    """One line for each load balancer's name and address, port and user."""
    hosts = []
    for name in model["by_role"]["haproxy"]:
        hosts += [name, model["nodes"][name]["address"]]
    hosts += model["postgresql"]["names"]
    ports = [model["haproxy"]["ports"][purpose] for purpose in ("leader", "replicas", "synchronous")]
    return [
        f"{host}:{port}:*:{user}:{users[user]}"
        for user in sorted(model["postgresql"]["users"])
        for host in hosts
        for port in ports
    ]
