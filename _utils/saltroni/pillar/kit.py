"""What recovery needs beside the storage: brought to the master from elsewhere, or taken from it to a safe place."""

import configparser
import json
from pathlib import Path

from saltroni import clusters
from saltroni.pillar import pgp, secrets

#: Names of secrets in it; ``pgp`` is a file of its own on the master.
KEYS = ("s3_access_key", "s3_secret_key", "backup_cipher")
S3 = secrets.NEEDED["s3"]


def take_keys(folder, model, path, profile):
    """Take the keys of a foreign storage from a file of AWS's kind.

    Args:
        folder: where the master keeps what belongs to clusters.
        model: the cluster's.
        path, profile: the file, and the part of it.

    Returns:
        the names of what was taken.

    Raises:
        OSError: the file can't be read.
        ValueError: it lacks a key, or the storage is a node of the cluster.
    """
    if model["by_role"]["s3"]:
        raise ValueError(f"{model['by_role']['s3'][0]} is the storage of {model['cluster']}: its keys are made already")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(path).read_text(encoding="utf-8"), str(path))
        part = parser[profile]
        found = dict(zip(S3, (part["aws_access_key_id"].strip(), part["aws_secret_access_key"].strip()), strict=True))
    except configparser.Error as err:
        # its text may repeat a line of the file
        raise ValueError(f"{path} isn't a file of AWS's kind ({type(err).__name__})") from None
    except KeyError as err:
        raise ValueError(f"{path} has no {err} for [{profile}]") from err
    if not all(value.isprintable() and value and " " not in value for value in found.values()):
        raise ValueError(f"{path}: a key of [{profile}] is empty or holds blanks")
    secrets.load(Path(folder) / model["cluster"], [], given=found)
    return list(S3)


def write(folder, model, path):
    """Write what recovery needs into a file.

    Returns:
        the names of the secrets in it.

    Raises:
        OSError
        ValueError: backups are off.
    """
    if not model["backup"]["enabled"]:
        raise ValueError(f"{model['cluster']} has no backups: saltroni:backup:enabled is false")
    place = Path(folder) / model["cluster"]
    known = secrets.load(place, [])
    held = {name: known[name] for name in KEYS if known.get(name)}
    if (place / pgp.FILE).exists():
        held["pgp"] = (place / pgp.FILE).read_text(encoding="ascii")
    storage = {
        name: model["backup"]["storage"][name] for name in ("kind", "endpoint", "bucket", "region", "path_style")
    }
    content = {
        "cluster": model["cluster"],
        "postgresql": model["postgresql"]["version"],
        "tool": model["backup"]["tool"],
        "prefix": model["backup"]["prefix"],
        "storage": storage,
        "secrets": held,
    }
    clusters.write(path, json.dumps(content, indent=1) + "\n")
    return sorted(held)


def take(folder, cluster, path, replace=False):
    """Take what :func:`write` wrote.

    Args:
        cluster: the cluster that it must be of; None: whichever it is of.
        replace: whether other keys that are here already give way.

    Returns:
        the names of the secrets that were taken.

    Raises:
        OSError
        ValueError: the file is damaged or of another cluster, or there are other keys here.
        pgp.PgpError: the PGP key in it is none.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        held, name = dict(content["secrets"]), str(content["cluster"])
    except (ValueError, KeyError, TypeError) as err:
        raise ValueError(f"{path} isn't what secret.backup_export wrote: {type(err).__name__}") from None
    if name != (cluster or name):
        raise ValueError(f"{path} is of cluster {name}, not of {cluster}")
    if set(held) - {*KEYS, "pgp"} or not all(isinstance(value, str) and value for value in held.values()):
        raise ValueError(f"{path} isn't what secret.backup_export wrote: its secrets are others")
    place, key = Path(folder) / name, held.pop("pgp", None)
    if key:
        pgp.checked(key, path)
    known = secrets.load(place, [])
    file = place / pgp.FILE
    other = [one for one in held if known.get(one) not in (None, held[one])]
    if key and file.exists() and file.read_text(encoding="ascii") != key:
        other.append("pgp")
    if other and not replace:
        raise ValueError(
            f"this master has another {', '.join(sorted(other))} for {name}: replace=True takes those of {path}, and what "
            "was encrypted by the others can't be read any more"
        )
    secrets.load(place, [], given=held)
    if key:
        clusters.write(file, key)
    return sorted([*held, *(["pgp"] if key else [])])
