"""The pillar's ``backup`` and ``s3``: what is refused, and what follows from what isn't."""

import json
import os
import shutil
import subprocess
import time

import pytest

from saltroni import mounts, seaweedfs
from saltroni.backup import settings as backup_settings
from saltroni.pillar import backups, model, signing

from .conftest import ROOT
from .test_model import changed

S3 = {"address": "192.168.56.41", "roles": ["s3"], "memory_mb": 512}
WALG = {"enabled": True, "walg": {"source": "salt://wal-g"}}
FOREIGN = {"endpoint": "https://s3.example.org"}

REFUSED = {
    "two storages": ({"nodes:s3": S3, "nodes:s4": dict(S3, address="192.168.56.42")}, "at most one node has role s3"),
    "a small storage": ({"nodes:s3": dict(S3, memory_mb=256)}, "needs 512 MiB"),
    "own and foreign": ({"nodes:s3": S3, "backup": {"storage": FOREIGN}}, "s3 has role s3 and is the storage"),
    "no storage": ({"backup": WALG}, "no node of this cluster has role s3"),
    "no folder": ({"backup": dict(WALG, storage={"kind": "folder"})}, "kind folder needs one"),
    "PostgreSQL's own folder": (
        {"backup": dict(WALG, storage={"kind": "folder", "folder": "/var/lib/postgresql/backup"})},
        "are lost with them",
    ),
    "the folder of WAL": (
        {"backup": dict(WALG, storage={"kind": "folder", "folder": "/var/lib/postgresql-wal/17/demo"})},
        "are lost with them",
    ),
    "a path that leads elsewhere": ({"backup": dict(WALG, storage={"folder": "/mnt/../etc"})}, "does not match"),
    "no program": ({"nodes:s3": S3, "backup": {"enabled": True}}, "where the program wal-g comes from"),
    "a program that nobody knows": (
        {"nodes:s3": S3, "backup": {"enabled": True, "walg": {"source": "https://example.org/wal-g"}}},
        "if its SHA-256 is known",
    ),
    "a program over plain HTTP": ({"backup": {"walg": {"source": "http://example.org/wal-g"}}}, "does not match"),
    "a storage over plain HTTP": ({"backup": {"storage": {"endpoint": "http://s3.example.org"}}}, "does not match"),
    "a bucket that S3 refuses": ({"backup": {"storage": {"bucket": "pg"}}}, "does not match"),
    "a bucket with capital letters": ({"backup": {"storage": {"bucket": "Backups"}}}, "does not match"),
    "a calendar of several lines": ({"backup": {"calendar": "daily\nExecStart=/bin/true"}}, "does not match"),
    "no calendar": ({"backup": {"calendar": ""}}, "does not match"),
    "an unknown tool": ({"backup": {"tool": "barman"}}, "is not one of"),
    "a CA that is none": ({"backup": {"storage": {"ca": "/etc/ssl/ca.crt"}}}, "does not match"),
    "an address that pgBackRest can't verify": (
        {"backup": {"enabled": True, "tool": "pgbackrest", "storage": {"endpoint": "https://10.0.0.1:9000"}}},
        "names in certificates",
    ),
    "a port twice": (
        {"nodes:s3": S3, "backup": {"enabled": True, "tool": "pgbackrest", "port": 8008}},
        "has this port",
    ),
    "a parameter that follows": (
        {"nodes:s3": S3, "backup": WALG, "postgresql:parameters": {"archive_command": "true"}},
        "backup sets it",
    ),
}


def changes(settings, paths):
    for path, value in paths.items():
        settings = changed(settings, path, value)
    return settings


@pytest.mark.parametrize("case", REFUSED)
def test_refused(settings, case):
    paths, rule = REFUSED[case]
    with pytest.raises(model.PillarError) as caught:
        model.build(changes(settings, paths))
    assert rule in str(caught.value)
    assert "nothing is changed" in str(caught.value)


def test_off_changes_nothing_of_patroni(settings):
    built = model.build(settings)
    assert built["backup"]["enabled"] is False
    assert built["backup"]["settings"] == {}
    assert "recovery_conf" not in built["dcs"]["postgresql"]
    assert not [name for name in built["dcs"]["postgresql"]["parameters"] if "archive" in name]
    # then archiving is the user's own
    mine = model.build(changed(settings, "postgresql:parameters", {"archive_mode": "on", "archive_command": "mine"}))
    assert mine["dcs"]["postgresql"]["parameters"]["archive_command"] == "mine"


def test_own_storage(settings):
    built = model.build(changes(settings, {"nodes:s3": S3, "backup": WALG, "s3": {"port": 9000}}))["backup"]
    assert built["prefix"] == "s3://saltroni-demo/demo/17"
    storage = built["storage"]
    assert (storage["endpoint"], storage["host"], storage["port"]) == ("https://s3:9000", "s3", 9000)
    assert storage["ca_file"] == backups.OWN_CA
    assert storage["own"] is True


def test_foreign_storage(settings):
    pem = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"
    told = dict(WALG, storage={**FOREIGN, "bucket": "ours", "ca": pem})
    storage = model.build(changed(settings, "backup", told))["backup"]["storage"]
    assert (storage["host"], storage["port"], storage["bucket"]) == ("s3.example.org", 443, "ours")
    assert storage["ca_file"] == backups.FOREIGN_CA
    told["storage"]["ca"] = ""
    assert model.build(changed(settings, "backup", told))["backup"]["storage"]["ca_file"] == ""


def test_folder(settings):
    told = dict(WALG, storage={"kind": "folder", "folder": "/mnt/backup"})
    built = model.build(changed(settings, "backup", told))["backup"]
    assert (built["prefix"], built["path"]) == ("file:///mnt/backup/demo/17", "/mnt/backup/demo/17")


def test_each_cluster_and_version_has_a_prefix_of_its_own(settings):
    paths = {"nodes:s3": S3, "backup": dict(WALG, storage={"bucket": "shared"})}
    prefixes = {
        model.build(changes(settings, {**paths, "cluster": cluster, "postgresql:version": version}))["backup"]["prefix"]
        for cluster in ("demo", "shop")
        for version in (16, 17)
    }
    assert len(prefixes) == 4


def test_settings_are_what_the_programs_read(settings):
    built = model.build(changes(settings, {"nodes:s3": S3, "backup": WALG}))
    told = backup_settings.from_dict({**built["backup"]["settings"], "member": "pg1"})
    assert told.prefix == built["backup"]["prefix"]
    assert told.data_dir == built["folders"]["data"]
    assert told.keep_full == built["backup"]["keep_full"]
    assert told.warn_unarchived_s == built["backup"]["warn_unarchived_s"]


def test_pgbackrest_finds_its_name_in_archive_command(settings):
    for tool, words in (("walg", "archive %p"), ("pgbackrest", "archive %p # pgbackrest")):
        built = model.build(changes(settings, {"nodes:s3": S3, "backup": dict(WALG, tool=tool)}))
        command = built["dcs"]["postgresql"]["parameters"]["archive_command"]
        assert command == f"/usr/local/lib/saltroni/{words}"


def test_certificate_of_pgbackrest_is_for_members_only(settings):
    built = model.build(changes(settings, {"nodes:s3": S3, "backup": dict(WALG, tool="pgbackrest")}))
    policies = signing.policies(built)
    assert {name for name in policies if name.endswith(".pgbackrest")} == {
        f"demo.{name}.pgbackrest" for name in ("pg1", "pg2", "pg3")
    }
    assert policies["demo.pg1.pgbackrest"]["subject"].startswith("CN=pgbackrest,")
    assert "demo.s3.s3" in policies
    assert "DNS:s3" in policies["demo.s3.s3"]["subjectAltName"]


def test_buckets_are_read_from_what_seaweedfs_prints():
    listed = "  other\tsize:0\tlogical:0\tchunk:0\n  saltroni-demo\tsize:13088\tlogical:455\tchunk:1\n"
    assert seaweedfs.names(listed) == ["other", "saltroni-demo"]
    assert seaweedfs.names("") == []


def weed(tmp_path, script):
    path = tmp_path / "weed"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


def test_a_bucket_that_is_there_already_is_no_error(tmp_path):
    seaweedfs.make_bucket("demo", weed=weed(tmp_path, "echo 'error: bucket demo already exists' >&2; exit 1"))
    with pytest.raises(seaweedfs.SeaweedError, match="must between"):
        seaweedfs.make_bucket("a", weed=weed(tmp_path, "echo 'error: bucket name must between'; exit 1"))


def test_a_shell_without_a_server_ends(tmp_path):
    with pytest.raises(seaweedfs.SeaweedError, match=r"no answer in 0\.2 s"):
        seaweedfs.buckets(timeout_s=0.2, weed=weed(tmp_path, "exec sleep 60"))
    with pytest.raises(seaweedfs.SeaweedError, match="on the node with role s3"):
        seaweedfs.buckets(weed=str(tmp_path / "none"))


MOUNTS = """\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:40 / /mnt/backup rw - nfs4 nas:/pg rw
31 21 0:41 / /mnt/with\\040blank rw - nfs4 nas:/x rw
"""


def test_mounts(tmp_path):
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS, encoding="ascii")
    assert mounts.of("/mnt/backup/demo/17", path) == "/mnt/backup"
    assert mounts.of("/mnt/backups", path) == "/"
    assert mounts.of("/mnt/with blank/x", path) == "/mnt/with blank"
    assert mounts.of("/proc/self") == "/proc"


def test_what_is_brought_to_a_node_is_complete(tmp_path):
    """Debian's Python finds there what two states bring, and nothing else: no Salt, and no other part of Saltroni."""
    package = tmp_path / "saltroni"
    for part in ("lineage", "backup"):
        shutil.copytree(ROOT / "_utils" / "saltroni" / part, package / part)
    shutil.copy(ROOT / "_utils" / "saltroni" / "__init__.py", package)
    for name in ("saltroni.backup.__main__", "saltroni.backup.work"):
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-P", "-S", "-c", f"import {name}"],
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


FILES = ROOT / "salt" / "backup" / "files"


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)


def wrapper(tmp_path, name, python, tool="pgbackrest"):
    """A command of PostgreSQL's with another Python, and its programs and folders elsewhere."""
    fake = tmp_path / "python3"
    fake.write_text(f"#!/bin/sh\n{python}\n", encoding="ascii")
    fake.chmod(0o755)
    path = tmp_path / name
    (tmp_path / "backup.json").write_text(json.dumps({"tool": tool}, indent=1))
    text = (FILES / name).read_text()
    for real, ours in (
        ("/usr/bin/python3", fake),
        ("/usr/local/bin/wal-g", tmp_path / "wal-g"),
        ("/var/lib/saltroni-backup", tmp_path),
        ("/usr/lib/postgresql/$(cat PG_VERSION)/bin", tmp_path),
        ("/etc/saltroni/backup.json", tmp_path / "backup.json"),
    ):
        text = text.replace(real, str(ours))
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("code", "follows", "strict"),
    [
        (0, 0, 0),
        (10, 1, 1),  # certainly not in the archive
        (1, 2, 255),  # Python itself fails: it must never look like the end of the log
        (2, 2, 255),
        (127, 2, 255),
        (255, 2, 255),
        ("TERM", 2, 255),
        ("KILL", 2, 255),
    ],
)
def test_restore_command_tells_missing_from_failed(tmp_path, code, follows, strict):
    end = f"exit {code}" if isinstance(code, int) else f"kill -{code} $$"
    fetch = wrapper(tmp_path, "fetch", end)
    assert subprocess.run([fetch, "f", "p"]).returncode == follows
    assert subprocess.run([fetch, "--strict", "f", "p"]).returncode == strict
    assert subprocess.run([fetch, "--prefetch", "/x", "--strict", "f", "p"]).returncode == strict


class Member:
    """A member that follows: its data directory, and the two ways by which it may be answered."""

    def __init__(self, tmp_path):
        self.path = tmp_path
        (tmp_path / "pg_wal").mkdir()
        (tmp_path / "owner.json").write_text('{"system_identifier": "77"}')
        program(tmp_path / "pg_controldata", 'echo "Database system identifier:           77"')
        program(tmp_path / "wal-g", 'echo "$4" >>log; [ -e "stored/$4" ] || exit 74; cp "stored/$4" "$5"')
        (tmp_path / "stored").mkdir()
        self.fetch = wrapper(tmp_path, "fetch", f"echo python >>{tmp_path}/log; exit 10", "walg")

    def asks(self, name):
        """(exit code, who was asked)"""
        log = self.path / "log"
        log.unlink(missing_ok=True)
        target = "pg_wal/RECOVERYHISTORY"
        code = subprocess.run([self.fetch, name, target], cwd=self.path).returncode
        return code, log.read_text().split() if log.exists() else []


HISTORY, SEGMENT_NAME = "00000007.history", "00000006000000000000000B"


def test_a_member_is_told_of_a_history_by_the_shortest_way(tmp_path):
    member = Member(tmp_path)
    assert member.asks(HISTORY) == (1, [HISTORY])
    (tmp_path / "stored" / HISTORY).write_text("6\t0/B000000\tno recovery target specified\n")
    assert member.asks(HISTORY) == (0, [HISTORY])
    assert (tmp_path / "pg_wal/RECOVERYHISTORY").read_text().startswith("6\t")
    # another database's archive, and what is no history, are for the program
    (tmp_path / "owner.json").write_text('{"system_identifier": "78"}')
    assert member.asks(HISTORY) == (1, [HISTORY, "python"])
    (tmp_path / "owner.json").write_text('{"system_identifier": "77"}')
    (tmp_path / "stored" / HISTORY).write_text("")
    assert member.asks(HISTORY) == (1, [HISTORY, "python"])
    # its own comes first
    (tmp_path / "pg_wal" / HISTORY).write_text("6\t0/A000000\town\n")
    assert member.asks(HISTORY) == (0, [])
    assert "own" in (tmp_path / "pg_wal/RECOVERYHISTORY").read_text()
    assert not list(tmp_path.glob("pg_wal/*.first"))


def test_a_member_asks_for_a_segment_that_is_here_only_if_it_goes_on_asking(tmp_path):
    member = Member(tmp_path)
    assert member.asks(SEGMENT_NAME) == (1, [SEGMENT_NAME])
    (tmp_path / "pg_wal" / SEGMENT_NAME).write_text("streamed")
    assert member.asks(SEGMENT_NAME) == (1, [])
    assert member.asks(SEGMENT_NAME) == (1, [])
    long_ago = time.time() - 6
    os.utime(tmp_path / "asked", (long_ago, long_ago))
    assert member.asks(SEGMENT_NAME) == (1, [SEGMENT_NAME])
    # one comes from the archive: so do the next, without waiting
    (tmp_path / "from-archive").touch()
    assert member.asks(SEGMENT_NAME) == (1, [SEGMENT_NAME])


def test_a_storage_that_failed_is_left_alone_for_a_while(tmp_path):
    member = Member(tmp_path)
    (tmp_path / "fetch.json").write_text("{}")
    assert member.asks(HISTORY) == (2, [])
    long_ago = time.time() - 21
    os.utime(tmp_path / "fetch.json", (long_ago, long_ago))
    assert member.asks(HISTORY) == (1, [HISTORY])


@pytest.mark.parametrize("code", [1, 2, 126, 127, 255])
def test_archive_command_never_ends_the_archiver(tmp_path, code):
    assert subprocess.run([wrapper(tmp_path, "archive", f"exit {code}"), "pg_wal/x"]).returncode == 1
    assert subprocess.run([wrapper(tmp_path, "archive", "exit 0"), "pg_wal/x"]).returncode == 0


def test_hash_of_a_program(tmp_path):
    (tmp_path / "wal-g").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    script = shutil.copy(FILES / "has-sha256", tmp_path)
    assert subprocess.run(["sh", script, known, tmp_path / "wal-g"]).returncode == 0
    assert subprocess.run(["sh", script, "0" * 64, tmp_path / "wal-g"], capture_output=True).returncode == 1
    assert subprocess.run(["sh", script, known, tmp_path / "none"], capture_output=True).returncode == 1
