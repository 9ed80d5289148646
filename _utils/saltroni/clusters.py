"""Which clusters a master has: what ``pillar/cluster.sls`` says of each, without secrets, for the master's runners.

``cluster.json`` in the cluster's folder is written whenever a pillar is made and it has changed.
"""

import json
import os
import tempfile
from pathlib import Path

from saltroni import durable

FOLDER = "/var/lib/saltroni"
FILE = "cluster.json"
#: What belongs to one node, or is secret.
LEFT_OUT = ("self", "secrets")


def public(model):
    """``model`` without what belongs to one node or is secret."""
    return {name: value for name, value in model.items() if name not in LEFT_OUT}


def keep(folder, model):
    """Write the cluster's ``cluster.json`` if it would change.

    Args:
        folder: where the master keeps what belongs to clusters.
        model: see :func:`saltroni.pillar.model.build`.

    Returns:
        whether it was written.

    Raises:
        OSError
    """
    path = Path(folder) / model["cluster"] / FILE
    content = json.dumps(public(model), indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    write(path, content)
    return True


def write(path, content, mode=0o600):
    """Write a file whole or not at all, on disk before this returns; readers see the old one or the new one.

    Raises:
        OSError
    """
    path = Path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
            os.fchmod(out.fileno(), mode)
        Path(temporary).replace(path)
        durable.sync(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def known(folder=FOLDER):
    """``{cluster: model}`` of the clusters that are there.

    Raises:
        ValueError: a file is damaged; says which and what to do.
    """
    found = {}
    for path in sorted(Path(folder).glob(f"*/{FILE}")):
        try:
            model = json.loads(path.read_text(encoding="utf-8"))
            found[model["cluster"]] = model
        except (ValueError, KeyError, TypeError) as err:
            raise ValueError(
                f"{path} is damaged ({err}): remove it, and run salt '*' saltutil.refresh_pillar to make it anew"
            ) from err
    return found


def of_node(node, folder=FOLDER):
    """The cluster that ``node`` belongs to, or None."""
    return next((name for name, model in known(folder).items() if node in model["nodes"]), None)


def folder(opts):
    """Where the master keeps what belongs to clusters: what its configuration ``opts`` tells the pillar."""
    for entry in opts.get("ext_pillar") or []:
        if "saltroni_cluster" in entry:
            return (entry["saltroni_cluster"] or {}).get("folder", FOLDER)
    return FOLDER


def one(name=None, folder=FOLDER):
    """The model of the cluster ``name``, or of the only one.

    Raises:
        ValueError: there is no such cluster, or there are several and none was named.
    """
    found = known(folder)
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        raise ValueError(f"say cluster=NAME: one of {', '.join(sorted(found)) or '(none has been applied yet)'}")
    return found[name]
