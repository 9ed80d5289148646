"""Renders the tree as a node would, without a node: Salt's masterless caller, the real external pillar, a CA of its own."""

import copy
import itertools
import json
import sys
from pathlib import Path

import pytest
import yaml

from .. import pki

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))

NODES = yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]["nodes"]

#: The lab's nodes, and one that stores backups.
WITH_S3 = {**NODES, "s3": {"address": "192.168.56.41", "roles": ["s3"], "memory_mb": 512}}

#: Pillars that differ in what matters to the tree: name -> changes to pillar/cluster.sls.
PILLARS = {
    "as it is": {},
    "asynchronous, drills forbidden": {
        "postgresql": {"version": 17, "replication": "async", "users": {}},
        "drills": {"allowed": False},
        "guard": {"enabled": False},
    },
    "strict, own ports and parameters": {
        "cluster": "shop-1",
        "postgresql": {
            "port": 5433,
            "replication": "strict",
            "parameters": {"max_connections": 50, "jit": False, "log_line_prefix": "%m '%u' \"%d\" # "},
            "users": {"shop": {"database": "shop", "connections": 20}, "reader": {}},
            "networks": ["10.1.0.0/16"],
            "names": ["db.example.org"],
        },
        "haproxy": {"ports": {"leader": 6000, "replicas": 6001, "synchronous": 6002, "stats": 6003}, "fall": 3},
        "etcd": {"client_port": 3379, "peer_port": 3380},
        "patroni": {"port": 8009, "watchdog": "required"},
        "drills": {"allowed": True, "schedule": {"calendar": "Sun 03:00", "rounds": 3}},
        "guard": {"enabled": True, "wake": False, "for_s": 30, "port": 8011},
        "versions": {"etcd": "3.5.*", "patroni": "4.*", "haproxy": "3.0.*"},
    },
    "one node of each, roles together": {
        "nodes": {
            "salt": {"address": "192.168.56.10", "roles": ["master"], "memory_mb": 1024},
            "pg1": {"address": "192.168.56.21", "roles": ["etcd", "patroni", "haproxy"], "memory_mb": 2048},
        },
        "postgresql": {"version": 16, "replication": "sync"},
    },
    "backups by WAL-G on a node of the cluster": {
        "nodes": WITH_S3,
        "postgresql": {"version": 17, "wal_dir": "/var/lib/postgresql-wal"},
        "backup": {
            "enabled": True,
            "walg": {"source": "salt://wal-g", "sha256": "0" * 64},
            "replicas_from_backup": True,
            "archive_timeout_s": 30,
        },
    },
    "backups by pgBackRest on a node of the cluster": {
        "nodes": WITH_S3,
        "backup": {"enabled": True, "tool": "pgbackrest", "calendar": "Sun 03:00", "proof_calendar": ""},
        "s3": {"port": 9000, "folder": "/srv/s3"},
        "versions": {"seaweedfs": "4.47", "pgbackrest": "2.55*"},
    },
    "backups by WAL-G in a foreign storage": {
        "backup": {
            "enabled": True,
            "walg": {"source": "https://example.org/wal-g", "sha256": "a" * 64},
            "storage": {
                "endpoint": "https://minio.example.org:9000",
                "bucket": "our-backups",
                "region": "eu-1",
                "path_style": False,
                "ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            },
        },
    },
    "backups by pgBackRest in a file system": {
        "backup": {
            "enabled": True,
            "tool": "pgbackrest",
            "storage": {"kind": "folder", "folder": "/mnt/backup"},
            "encryption": False,
        },
    },
    "backups by WAL-G in a file system, one PostgreSQL node": {
        "nodes": {
            "salt": {"address": "192.168.56.10", "roles": ["master"], "memory_mb": 1024},
            "pg1": {"address": "192.168.56.21", "roles": ["etcd", "patroni", "haproxy"], "memory_mb": 2048},
        },
        "postgresql": {"version": 16, "replication": "sync"},
        "backup": {
            "enabled": True,
            "walg": {"source": "/usr/local/bin/wal-g"},
            "storage": {"kind": "folder", "folder": "/mnt/backup"},
        },
    },
}

#: What a master has told nodes of a foreign storage's keys, and the key that encrypts: as if a person had brought both.
BROUGHT = {"s3_access_key": "FOREIGNKEY", "s3_secret_key": "foreign+secret/key"}
PGP_KEY = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQVYBGf\n-----END PGP PRIVATE KEY BLOCK-----\n"


def certificate_authority():
    """A CA's certificate in PEM."""
    key = pki.key()
    return pki.signed("CN=render test", key, "CN=render test", key, days=1).decode("ascii")


@pytest.fixture(scope="session")
def caller(tmp_path_factory):
    """``caller(node, changes)``: Salt's caller as ``node``, with ``changes`` over the repository's pillar."""
    import salt._logging
    import salt.client
    import salt.config

    # it would print all that it kept when the interpreter ends
    salt._logging.shutdown_temp_handler()

    base = tmp_path_factory.mktemp("render")
    authority = base / "ca"
    numbers = itertools.count()

    # a new one each time: within a process, an older caller would render with what a newer one was told
    def make(node, changes, brought=True, pgp=PGP_KEY):
        folder = base / str(next(numbers))
        settings = copy.deepcopy(
            yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]
        )
        settings.update(changes)
        (folder / "pillar").mkdir(parents=True)
        (folder / "pillar" / "top.sls").write_text((ROOT / "pillar" / "top.sls").read_text(encoding="utf-8"))
        (folder / "pillar" / "cluster.sls").write_text(yaml.safe_dump({"saltroni": settings}), encoding="utf-8")
        if node != "bare":
            (authority / settings["cluster"]).mkdir(parents=True, exist_ok=True)
            (authority / settings["cluster"] / "ca.crt").write_text(certificate_authority(), encoding="ascii")
        own = folder / "state" / settings["cluster"]
        own.mkdir(parents=True)
        (own / "pgp.key").write_text(pgp, encoding="ascii")
        if brought and changes.get("backup", {}).get("storage", {}).get("endpoint"):
            (own / "secrets.json").write_text(json.dumps(BROUGHT), encoding="ascii")
        options = salt.config.minion_config(None)
        options.update(
            id=node,
            root_dir=str(folder),
            cachedir=str(folder / "cache"),
            pki_dir=str(folder / "pki"),
            extension_modules=str(folder / "extmods"),
            file_client="local",
            local=True,
            file_roots={"base": [str(ROOT / "salt")]},
            pillar_roots={"base": [str(folder / "pillar")]},
            module_dirs=[str(ROOT / "salt")],
            ext_pillar=[{"saltroni_cluster": {"folder": str(folder / "state"), "authorities": str(authority)}}],
            log_level="quiet",
            log_level_logfile="quiet",
            enable_fqdns_grains=False,
        )
        return salt.client.Caller(mopts=options)

    return make


@pytest.fixture(params=sorted(PILLARS))
def pillar(request):
    """Changes that make one of :data:`PILLARS`."""
    return PILLARS[request.param]
