"""Renders the tree as a node would, without a node: Salt's masterless caller, the real external pillar, a CA of its own."""

import copy
import datetime
import itertools
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))

NODES = yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]["nodes"]

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
}


def certificate_authority():
    """A CA's certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "render test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


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
    def make(node, changes):
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
