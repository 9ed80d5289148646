"""A Salt master and a minion of their own, in temporary folders and on free ports, with the tree of this checkout.

The master has the reactor that the tree generates. Everything ends with the tests.
"""

import sys
from pathlib import Path

import jinja2
import pytest
import yaml
from pytestshellutils.utils import ports

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))

sys.path.insert(0, str(ROOT / "_pillar"))
from saltroni_cluster import SCHEDULE  # noqa: E402

CLUSTER = {
    "cluster": "trial",
    "nodes": {
        "master1": {"address": "192.0.2.1", "roles": ["master"]},
        "etcd1": {"address": "192.0.2.2", "roles": ["etcd"]},
        "pg1": {"address": "192.0.2.3", "roles": ["patroni"]},
    },
}


@pytest.fixture(scope="session")
def salt_factories_config(tmp_path_factory):
    """pytest-salt-factories' own settings: a root folder of this run."""
    return {"root_dir": tmp_path_factory.mktemp("salt")}


@pytest.fixture(scope="session")
def states(tmp_path_factory):
    """A file root for the tests' own states."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the master keeps what belongs to clusters."""
    return tmp_path_factory.mktemp("lib")


def _configured():
    """The master's configuration, as the tree's state writes it."""
    from saltroni.pillar import model

    template = jinja2.Environment(autoescape=False).from_string(  # noqa: S701  it makes YAML
        (ROOT / "salt" / "master" / "files" / "master.conf.jinja").read_text(encoding="utf-8")
    )
    text = template.render(pillar={"saltroni": model.build(CLUSTER)})
    return yaml.safe_load(text.replace("/etc/salt/saltroni-reactor", str(ROOT / "salt" / "reactor")))


@pytest.fixture(scope="session")
def master(salt_factories, states, folder, tmp_path_factory):
    """A running master."""
    pillar = tmp_path_factory.mktemp("pillar")
    (pillar / "top.sls").write_text("base: {'*': [cluster]}\n", encoding="utf-8")
    (pillar / "cluster.sls").write_text(yaml.safe_dump({"saltroni": CLUSTER}), encoding="utf-8")
    configured = _configured()
    overrides = {
        "interface": "127.0.0.1",
        "publish_port": ports.get_unused_localhost_port(),
        "ret_port": ports.get_unused_localhost_port(),
        "file_roots": {"base": [str(ROOT / "salt"), str(states)]},
        "pillar_roots": {"base": [str(pillar)]},
        "module_dirs": [str(ROOT)],
        "pillar_dirs": [str(ROOT / "_pillar")],
        "ext_pillar": [{"saltroni_cluster": {"folder": str(folder), "authorities": str(folder / "ca")}}],
        "reactor": configured["reactor"],
        "runnerclient_returns": configured["runnerclient_returns"],
        "reactor_refresh_interval": configured["reactor_refresh_interval"],
        # a master's own levels: the factories' debug lines, sent to the tests one by one, were a sixth of its work
        "log_level": "warning",
        "log_level_logfile": "warning",
        "pytest-master": {"log": {"level": "warning"}},
        "peer_run": configured["peer_run"],
        "fileserver_list_cache_time": 0,
        "worker_threads": 3,
        "auto_accept": True,
    }
    daemon = salt_factories.salt_master_daemon("master1", overrides=overrides)
    with daemon.started(start_timeout=120):
        yield daemon


@pytest.fixture(scope="session")
def spool(tmp_path_factory):
    """The minion's spool."""
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="session")
def minion(master, spool):
    """A running minion of the master, known to the cluster as pg1."""
    options = {
        "enable_fqdns_grains": False,
        "enable_gpu_grains": False,
        "return": "saltroni_spool",
        "saltroni_spool": str(spool),
        # the pillar's schedule would send what a test has put there before the test does
        "schedule": {"saltroni": {**SCHEDULE["saltroni"], "enabled": False}},
    }
    daemon = master.salt_minion_daemon("pg1", overrides=options)
    with daemon.started(start_timeout=120):
        assert daemon.salt_call_cli(timeout=120).run("saltutil.sync_all").returncode == 0
        yield daemon
