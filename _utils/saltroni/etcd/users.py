"""Users and roles of etcd: Patroni may touch its own keys only, a drill its lock only, nobody anything without both
a certificate and a password."""

import base64
import os
import random

from saltroni import wait
from saltroni.etcd import ctl

#: Users that may look, but not touch.
READERS = ("guard",)


def wanted(model):
    """``{user: (password, prefix)}``; etcd's root needs no password, its certificate says who it is."""
    secrets = model["secrets"]
    users = {
        "patroni": (secrets["etcd_patroni"], f"/saltroni/{model['cluster']}/"),
        "drill": (secrets["etcd_drill"], f"/saltroni-drill/{model['cluster']}/"),
    }
    if model["guard"]["enabled"]:
        # the lease, of which it asks the remaining time, also holds the member's own key
        users["guard"] = (secrets["etcd_guard"], f"/saltroni/{model['cluster']}/")
    return users


def range_end(prefix):
    """The first key after all that start with ``prefix`` (which ends with an ASCII character)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _text(value):
    return base64.b64decode(value or "").decode()


def _permissions(model, own, role):
    answer = ctl.run(model, [own], "role", "get", role)
    return [
        (grant.get("permType", 0), _text(grant.get("key")), _text(grant.get("range_end")))
        for grant in answer.get("perm", [])
    ]


def _roles_of(model, own, user, users):
    if user not in users:
        return []
    return ctl.run(model, [own], "user", "get", user).get("roles") or []


def steps(model, own):
    """What is missing, as ``[(sentence, etcdctl's arguments, its input)]``, in the order to do it.

    Raises:
        EtcdError: etcd has no quorum.
    """
    todo = []
    users = set(ctl.run(model, [own], "user", "list").get("users") or [])
    roles = set(ctl.run(model, [own], "role", "list").get("roles") or [])
    if "root" not in users:
        todo.append(("user root, known by its certificate", ("user", "add", "root", "--no-password"), None))
    if "root" not in roles:
        todo.append(("role root", ("role", "add", "root"), None))
    if "root" not in _roles_of(model, own, "root", users):
        todo.append(("root has role root", ("user", "grant-role", "root", "root"), None))
    enabled = bool(ctl.run(model, [own], "auth", "status").get("enabled"))
    for name, (password, prefix) in wanted(model).items():
        todo += _user_steps(model, own, name, password, prefix, users, roles, enabled)
    if not enabled:
        todo.append(("authentication required", ("auth", "enable"), None))
    return todo


def _user_steps(model, own, name, password, prefix, users, roles, enabled):
    todo = []
    right, number, may = ("read", 0, "read") if name in READERS else ("readwrite", 2, "touch")
    grant = ("role", "grant-permission", name, right, prefix, "--prefix=true")
    expected = [(number, prefix, range_end(prefix))]
    if name not in roles:
        todo.append((f"role {name}", ("role", "add", name), None))
        todo.append((f"role {name} may {may} {prefix} only", grant, None))
    else:
        present = _permissions(model, own, name)
        for kind, key, end in present:
            if (kind, key, end) not in expected:
                todo.append(
                    (f"role {name} may no longer touch {key}", ("role", "revoke-permission", name, key, end), None)
                )
        if expected[0] not in present:
            todo.append((f"role {name} may {may} {prefix} only", grant, None))
    if name not in users:
        todo.append((f"user {name}", ("user", "add", name, "--interactive=false"), password))
        todo.append((f"{name} has role {name}", ("user", "grant-role", name, name), None))
    else:
        if name not in _roles_of(model, own, name, users):
            todo.append((f"{name} has role {name}", ("user", "grant-role", name, name), None))
        # nobody can log in before authentication is switched on
        if enabled and not ctl.password_works(model, own, name, password):
            todo.append((f"password of {name}", ("user", "passwd", name, "--interactive=false"), password))
    return todo


def grant(model, own, deadline_s):
    """Make what :func:`steps` lists.

    All members may do this at once: who comes second finds that a part is done, looks again and goes on.

    Returns:
        sentences of what this node made.

    Raises:
        DeadlineError: something is still missing; says what etcd answered last.
    """
    done = []

    def attempt():
        try:
            for sentence, arguments, password in steps(model, own):
                ctl.run(model, [own], *arguments, stdin=password and password + os.linesep)
                done.append(sentence)
        except ctl.EtcdError as err:
            raise wait.NotYet(str(err)) from err
        return done

    # not in step with the others
    return wait.until(attempt, "etcd's users and rights", deadline_s, every_s=random.uniform(0.2, 1.0))  # noqa: S311
