"""What follows from the pillar's ``backup``: where the archive is, PostgreSQL's parameters, what programs on a node are told.

With backups off, all of this is empty and nothing else changes.
"""

from urllib.parse import urlsplit

LIB = "/usr/local/lib/saltroni"
#: What the programs on a node remember; it belongs to postgres.
STATE = "/var/lib/saltroni-backup"
OWN_CA = "/etc/saltroni/pki/ca.crt"
FOREIGN_CA = "/etc/saltroni/storage-ca.crt"
#: pgBackRest's place for segments that it archives in advance.
SPOOL = "/var/spool/pgbackrest"


def completed(model):
    """The pillar's ``backup`` with what follows from it.

    Args:
        model: the settings with defaults, ``by_role`` and ``folders``.

    Returns:
        the same with ``storage`` completed (``endpoint``, ``host``, ``port``, ``bucket``, ``own``: whether a node of this
        cluster is the storage, ``ca_file``: empty for the system's), ``prefix`` (where the archive is, as a URL), ``path``
        (the same below the bucket, or in the file system) and ``settings`` (``/etc/saltroni/backup.json`` but for the
        member's name).
    """
    chosen = dict(model["backup"])
    chosen["storage"] = storage(model)
    own = f"{model['cluster']}/{model['postgresql']['version']}"
    if chosen["storage"]["kind"] == "folder":
        chosen["path"] = f"{chosen['storage']['folder']}/{own}"
        chosen["prefix"] = f"file://{chosen['path']}"
    else:
        chosen["path"] = f"/{own}"
        chosen["prefix"] = f"s3://{chosen['storage']['bucket']}/{own}"
    chosen["settings"] = settings(model, chosen) if chosen["enabled"] else {}
    return chosen


def storage(model):
    """Where backups go, see :func:`completed`."""
    found = dict(model["backup"]["storage"])
    owners = model["by_role"]["s3"]
    found["bucket"] = found["bucket"] or f"saltroni-{model['cluster']}"
    found["own"] = bool(owners)
    if owners:
        found["endpoint"] = f"https://{owners[0]}:{model['s3']['port']}"
        found["ca_file"] = OWN_CA
    else:
        found["ca_file"] = FOREIGN_CA if found["ca"] else ""
    address = urlsplit(found["endpoint"])
    found["host"] = address.hostname or ""
    found["port"] = address.port or 443
    return found


def settings(model, chosen):
    """What is in ``/etc/saltroni/backup.json``, but for the member's name: :class:`saltroni.backup.settings.Settings`."""
    return {
        "cluster": model["cluster"],
        "tool": chosen["tool"],
        "major": model["postgresql"]["version"],
        "data_dir": model["folders"]["data"],
        "wal_dir": model["folders"]["wal"],
        "prefix": chosen["prefix"],
        "port": model["postgresql"]["port"],
        "members": {name: {"address": model["nodes"][name]["address"]} for name in model["by_role"]["patroni"]},
        "patroni_port": model["patroni"]["port"],
        "state_folder": STATE,
        "proof_folder": chosen["proof_folder"],
        "encrypted": chosen["encryption"],
        "full_every_days": chosen["full_every_days"],
        "keep_full": chosen["keep_full"],
        "keep_days": chosen["keep_days"],
        "warn_unarchived_s": chosen["warn_unarchived_s"],
    }


def parameters(model):
    """PostgreSQL's parameters for archiving. ``archive_mode`` needs a restart: health shows it as pending."""
    if not model["backup"]["enabled"]:
        return {}
    # pgBackRest makes no backup unless it finds its name there
    known_as = " # pgbackrest" if model["backup"]["tool"] == "pgbackrest" else ""
    return {
        "archive_mode": "on",
        "archive_command": f"{LIB}/archive %p{known_as}",
        "archive_timeout": f"{model['backup']['archive_timeout_s']}s",
    }


def recovery(model):
    """What Patroni writes into a member's settings for following a leader, as a part of its ``postgresql``."""
    if not model["backup"]["enabled"]:
        return {}
    # a node that hasn't been applied yet has no such program: PostgreSQL would stop at a code above 125
    return {"recovery_conf": {"restore_command": f"test -x {LIB}/fetch && {LIB}/fetch %f %p"}}
