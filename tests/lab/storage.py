"""What tests of a storage that fails share: how it is broken, how that heals by itself, and what the cluster says of it."""

import contextlib
import json

import pytest

from .conftest import SETTINGS, until, whole
from .test_8_restore import leader, replica, sql

#: For whole files of tests.
ours = pytest.mark.skipif(
    not SETTINGS.get("backup", {}).get("enabled")
    or not any("s3" in node["roles"] for node in SETTINGS["nodes"].values()),
    reason="backups are off in pillar/cluster.sls, or no node of it has role s3",
)
UNIT = "lab-heal-storage"
WEED = (
    "/opt/saltroni/seaweedfs/bin/weed", "-logtostderr", "-config_dir=/etc/saltroni/s3", "shell",
    "-master=127.0.0.1:9333", "-filer=127.0.0.1:8888",
)  # fmt: skip
#: What a member remembers of an archive that was its own.
OWNER = "/var/lib/saltroni-backup/owner.json"
CONFIG = {"walg": "/etc/saltroni/walg.yaml", "pgbackrest": "/etc/pgbackrest/pgbackrest.conf"}


@pytest.fixture(scope="module")
def begun_sound(lab):
    """An archive that is whole when a file's tests begin."""
    sound(lab)


@pytest.fixture(autouse=True)
def in_the_end_all_is_well(lab, begun_sound):
    """After each test the cluster and the archive are whole, and the archive gives the database back."""
    yield
    whole(lab, 240)
    usable(lab)
    archived(lab)
    verified(lab)
    passed(proof(lab))


def storage(lab):
    """The node with role s3."""
    return lab.model["by_role"]["s3"][0]


def members(lab):
    return lab.model["by_role"]["patroni"]


def settings(lab):
    """What the programs on the leader know of backups."""
    return json.loads(lab.run(leader(lab), "cat", "/etc/saltroni/backup.json").stdout)


@contextlib.contextmanager
def healed(lab, node, cure, within_s):
    """While the block runs something on a node may be broken. ``cure``, a script for sh, mends it afterwards, and by itself
    after ``within_s`` seconds if this process is killed; it may run twice."""
    lab.run(
        node, "systemd-run", "--quiet", "--collect", f"--unit={UNIT}", f"--on-active={within_s}", "sh", "-c", cure
    )  # fmt: skip
    try:
        yield
    finally:
        lab.run(node, "systemctl", "stop", f"{UNIT}.timer", check=False)
        lab.run(node, "sh", "-c", cure)


def usable(lab, deadline_s=150):
    """Wait until the leader can list, write and read in the archive."""
    first = leader(lab)
    said = []

    def probed():
        answer, code = lab.call(first, "walg.probe", check=False)
        said[:] = [answer]
        return code == 0

    until(probed, "the storage to be of use", deadline_s, every_s=1, why=lambda: f": {said}")


def switched(lab):
    """Commit something, and have the leader begin a new segment; the name of the one that ended."""
    first = leader(lab)
    sql(lab, "SELECT pg_logical_emit_message(true, 'lab', 'x')", node=first)
    return sql(lab, "SELECT pg_walfile_name(pg_switch_wal())", node=first)


def waiting(lab, node):
    """Names of what waits for the archive on a node."""
    look = f"ls {lab.model['folders']['data']}/pg_wal/archive_status | grep 'ready$'; true"
    return {name.removesuffix(".ready") for name in lab.run(node, "sh", "-c", look).stdout.split()}


def archived(lab, deadline_s=150):
    """End the present segment and wait until everything up to it is archived; its name.

    PostgreSQL's archiver pauses for a minute after three failures, and is woken by the next segment.
    """
    name, first = switched(lab), leader(lab)
    until(lambda: not waiting(lab, first), "all to be archived", deadline_s, every_s=1)
    return name


def moment(lab):
    """A moment with a commit after it, both in the archive."""
    at = sql(lab, "SELECT clock_timestamp()")
    archived(lab)
    return at


def backup(lab, node=None, timeout_s=900):
    """A full base backup on a node, the leader without one: what it says."""
    return lab.call(node or leader(lab), "walg.backup", "full=True", "here=True", check=False, timeout_s=timeout_s)[0]


def proof(lab, *asked, node=None, timeout_s=1500):
    """A proof on a replica: what it says."""
    return lab.call(node or replica(lab), "walg.prove", *asked, check=False, timeout_s=timeout_s)[0]


def passed(said):
    assert isinstance(said, dict), said
    assert (said["verdict"], said["reasons"]) == ("passed", []), said
    return said


def failed(said, *kinds):
    """It failed, and named one of these kinds; its reason."""
    assert isinstance(said, dict), said
    assert said["verdict"] == "failed", said
    assert any(f"({kind}: " in said["reasons"][0] for kind in kinds), (kinds, said["reasons"])
    return said["reasons"][0]


def refused(lab, node, *kinds):
    """A probe is refused, and names one of these kinds; its words."""
    said, code = lab.call(node, "walg.probe", check=False)
    assert code != 0, said
    assert any(f"({kind}: " in str(said) for kind in kinds), (kinds, said)
    return str(said)


def waits_for(lab, *kinds):
    """The leader can't archive its segment, and remembers that for one of these reasons."""
    first, seen = leader(lab), []
    name = switched(lab)

    def failing():
        health, _ = lab.call(first, "walg.health")
        seen[:] = [health["failure"]]
        return health["failure"] and health["failure"]["kind"] in kinds

    until(failing, f"a push to fail as {' or '.join(kinds)}", 130, every_s=1, why=lambda: f": {seen}")
    assert name in waiting(lab, first)


def verified(lab):
    """Nothing of the archive is missing or damaged, and its window has no gap."""
    first = leader(lab)
    lost, code = lab.call(first, "walg.verify", check=False)
    assert (lost, code) == ([], 0)
    window = lab.call(first, "walg.recovery_window")[0][0]
    assert (window["present"], window["gaps"]) == (True, [])


def shell(lab, *commands):
    """Commands of SeaweedFS's shell; what it printed."""
    return lab.run(storage(lab), *WEED, stdin="".join(f"{line}\n" for line in commands), timeout_s=60).stdout


def without_bucket(lab):
    """Delete the bucket with all that is in it, as its administrator by mistake."""
    name = lab.model["backup"]["storage"]["bucket"]
    shell(lab, "lock", f"s3.bucket.delete -name {name}", "unlock")
    assert name not in lab.call(storage(lab), "seaweedfs.buckets")[0]


def on_purpose(lab):
    """Say on all members that the archive was emptied on purpose: docs/backups.md, and what the refusal asks for."""
    for node in members(lab):
        lab.run(node, "rm", "-f", OWNER)


def begun_anew(lab):
    """An archive without a past: the bucket is made anew, and gets a base backup."""
    without_bucket(lab)
    lab.call(storage(lab), "seaweedfs.make_bucket", lab.model["backup"]["storage"]["bucket"])
    on_purpose(lab)
    usable(lab)
    passed(backup(lab))
    archived(lab)
    verified(lab)


def sound(lab):
    """A whole cluster whose archive lacks nothing and has a new base backup."""
    whole(lab, 120)
    usable(lab)
    if lab.call(leader(lab), "walg.verify", check=False)[0] == []:
        passed(backup(lab))
        archived(lab)
    else:
        begun_anew(lab)
    verified(lab)
