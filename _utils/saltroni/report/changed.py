"""What a state changed, as one line. Pure.

Never the contents of a file, the output of a command, or old and new values: they may hold secrets. What is told is
which thing was changed, versions of packages, and what Saltroni's own states say, which is written to be read.
"""

import re

from saltroni.report import tidy

LIMIT = 300
LISTED = 6
#: Packages whose version a reader asks for.
PROGRAMS = re.compile(r"^(postgresql-\d+|patroni|etcd|etcd-server|haproxy|pgbouncer|keepalived|wal-g)$")
#: States whose ``changes`` are sentences of this project.
OURS = ("etcd_cluster", "patroni", "haproxy", "walg")


def sentence(function, name, changes, comment=""):
    """One line, or None where nothing changed.

    Args:
        function: the state's function, like ``file.managed``.
        name: what the state is about: a path, a service.
        changes: what the state returned as ``changes``.
        comment: what it returned as ``comment``.
    """
    if not changes:
        return None
    if not isinstance(changes, dict):
        return tidy.line(f"changed {name}", LIMIT)
    module = function.split(".")[0]
    told = BY_MODULE.get(module, _ours if module in OURS else _names)(name, changes, comment)
    return tidy.line(told, LIMIT)


def packages(function, changes):
    """``{package: new version}`` of a state that installs packages."""
    if function.split(".")[0] not in ("pkg", "pip") or not isinstance(changes, dict):
        return {}
    found = {}
    for name, change in list(changes.items())[:500]:
        new = change.get("new") if isinstance(change, dict) else change
        if new and isinstance(new, str):
            found[tidy.line(name, 80)] = tidy.line(new, 60)
    return found


def _list(words):
    shown = ", ".join(words[:LISTED])
    return shown + (f" and {len(words) - LISTED} more" if len(words) > LISTED else "")


def _file(name, changes, _comment):
    diff = changes.get("diff")
    parts = []
    if isinstance(diff, str) and diff:
        added = len(re.findall(r"^\+(?!\+\+)", diff, re.MULTILINE))
        removed = len(re.findall(r"^-(?!--)", diff, re.MULTILINE))
        if diff.startswith("New file"):
            parts.append(f"wrote {name}")
        elif added or removed:
            parts.append(f"edited {name}: {added} lines added, {removed} removed")
        else:
            parts.append(f"replaced {name}")
    made = [str(path) for path, what in changes.items() if _is_new(path, what)]
    if made and not parts:
        parts.append("made " + (name if made in (["new"], [name]) else _list(made)))
    modes = [f"{key} {changes[key]}" for key in ("user", "group", "mode") if isinstance(changes.get(key), (str, int))]
    if modes and not made:
        parts.append(f"set {', '.join(modes)} of {name}" if not parts else ", ".join(modes))
    if "removed" in changes:
        parts.append(f"removed {name}")
    return "; ".join(parts) or f"changed {name}"


def _is_new(path, what):
    return path == "new" or what in ("New Dir", "new") or (isinstance(what, dict) and what.get("directory") == "new")


def _package(_name, changes, comment):
    asked = [package for package in changes if re.search(rf"(?<![\w.+-]){re.escape(str(package))}(?![\w+-])", comment)]
    first = [package for package in changes if PROGRAMS.match(str(package))] or asked or list(changes)
    words = []
    for package in first[:LISTED]:
        change = changes[package]
        old, new = (change.get("old"), change.get("new")) if isinstance(change, dict) else (None, change)
        if not new:
            words.append(f"removed {package}")
        else:
            words.append(f"{package} {new}" + (f" (was {old})" if old else ""))
    others = len(changes) - len(words)
    more = f" and {others} more package{'s' if others > 1 else ''}" if others else ""
    return f"installed {', '.join(words)}{more}"


def _service(name, changes, _comment):
    states = {True: "started", False: "stopped"}
    words = [
        f"{service} {states[what] if isinstance(what, bool) else 'changed'}" for service, what in list(changes.items())
    ]
    return _list(words) or f"changed {name}"


def _command(name, changes, _comment):
    return f"ran it, exit code {changes['retcode']}" if "retcode" in changes else f"ran {name}"


def _module(_name, changes, _comment):
    ran = [str(function) for function in changes if function != "ret"]
    return f"ran {_list(ran)}" if ran else "ran it"


def _certificate(name, changes, _comment):
    if "created" in changes:
        return f"made {name}"
    if "replaced" in changes:
        return f"replaced {name}"
    return f"renewed {name}" if changes else f"changed {name}"


def _account(name, changes, _comment):
    made = {"uid", "home", "gid", "members"} & set(changes)
    return f"made account or group {name}" if len(made) > 1 else f"changed {_list([str(key) for key in changes])}"


def _host(name, changes, _comment):
    words = []
    for address, change in changes.items():
        new = change.get("new") if isinstance(change, dict) else None
        words.append(f"{address} is {new}" if new else f"{address} is no name's any more")
    return f"/etc/hosts: {_list(words)}" if words else f"changed {name}"


def _ours(_name, changes, _comment):
    words = []
    for what, how in changes.items():
        if isinstance(how, bool):
            words.append(str(what))
        elif isinstance(how, list) and all(isinstance(part, str) for part in how):
            words.append(f"{what} {_list(how)}")
        else:
            tellable = isinstance(how, str) and not tidy.SECRET_NAME.search(str(what))
            words.append(f"{what} {how}" if tellable else str(what))
    return "; ".join(words)


def _names(_name, changes, _comment):
    return f"changed {_list([str(key) for key in changes])}"


BY_MODULE = {
    "file": _file,
    "pkg": _package,
    "pip": _package,
    "service": _service,
    "cmd": _command,
    "module": _module,
    "x509": _certificate,
    "user": _account,
    "group": _account,
    "host": _host,
}
