"""What is stored is damaged, or whoever stores it dies: it is found, named, and never counted as a backup."""

import contextlib
import re
import subprocess
import time

import pytest

from . import storage
from .conftest import ROOT, until, whole
from .storage import begun_sound, in_the_end_all_is_well, leader, replica  # noqa: F401  fixtures
from .test_8_restore import leavings

pytestmark = storage.ours
#: Where a member keeps an object of the archive, as it is stored.
KEPT = "/var/lib/saltroni-backup/lab-object"
TOOLS = {
    "walg": {
        "get": "wal-g --config /etc/saltroni/walg.yaml st get {path} {file} --no-decompress --no-decrypt",
        "put": "wal-g --config /etc/saltroni/walg.yaml st put {file} {path} --no-compress --no-encrypt --force",
    },
    "pgbackrest": {
        "get": "pgbackrest --config=/etc/pgbackrest/pgbackrest.conf --stanza={stanza} --raw repo-get {path} >{file}",
        "put": "pgbackrest --config=/etc/pgbackrest/pgbackrest.conf --stanza={stanza} --raw repo-put {path} <{file}",
    },
}
LIST = "pgbackrest --config=/etc/pgbackrest/pgbackrest.conf --stanza={stanza} repo-ls {under} --recurse"
DAMAGE = """
import sys
data = bytearray(open(sys.argv[1], "rb").read())
if sys.argv[2] == "half":
    del data[len(data) // 2 :]
else:
    data[len(data) // 2] ^= 1
open(sys.argv[1] + ".bad", "wb").write(data)
"""


def as_postgres(lab, node, *command, **options):
    return lab.run(node, "runuser", "-u", "postgres", "--", *command, **options)


def object_of(lab, node, what):
    """The path below the archive's prefix of a segment, or of most of a base backup's data."""
    told = storage.settings(lab)
    segment = re.fullmatch("[0-9A-F]{24}", what)
    if told["tool"] == "walg":
        return f"wal_005/{what}.zst" if segment else f"basebackups_005/{what}/tar_partitions/part_001.tar.zst"
    under = f"archive/{told['cluster']}" if segment else f"backup/{told['cluster']}/{what}"
    listed = as_postgres(lab, node, "sh", "-c", LIST.format(stanza=told["cluster"], under=under)).stdout.split()
    wanted = rf"(.*/)?{what}-[0-9a-f]{{40}}\.\w+" if segment else r"bundle/1"
    return f"{under}/{next(name for name in listed if re.fullmatch(wanted, name))}"


@contextlib.contextmanager
def damaged(lab, what, how):
    """While the block runs an object of the archive is damaged; afterwards it is what it was."""
    node, told = leader(lab), storage.settings(lab)
    words = {"path": object_of(lab, node, what), "stanza": told["cluster"]}
    as_postgres(lab, node, "rm", "-f", KEPT, f"{KEPT}.bad")
    as_postgres(lab, node, "sh", "-c", TOOLS[told["tool"]]["get"].format(file=KEPT, **words))
    as_postgres(lab, node, "/usr/bin/python3", "-c", DAMAGE, KEPT, how)
    put = TOOLS[told["tool"]]["put"]
    cure = f"runuser -u postgres -- sh -c '{put.format(file=KEPT, **words)}'"
    with storage.healed(lab, node, cure, 1500):
        as_postgres(lab, node, "sh", "-c", put.format(file=f"{KEPT}.bad", **words))
        yield
    as_postgres(lab, node, "rm", "-f", KEPT, f"{KEPT}.bad")


@pytest.mark.parametrize("how", ["half", "flipped"])
def test_damaged_segment(lab, how):
    before = storage.moment(lab)
    storage.archived(lab)  # a commit after that moment: replay knows by it that it is past
    name = storage.archived(lab)
    storage.archived(lab)
    with damaged(lab, name, how):
        reason = storage.failed(storage.proof(lab), "corrupt")
        assert name in reason
        if storage.settings(lab)["tool"] == "pgbackrest":
            # WAL-G's looks for gaps only
            assert "DAMAGED" in str(lab.call(leader(lab), "walg.verify", check=False)[0])
        # up to there, and from the next base backup on, everything can be restored
        storage.passed(storage.proof(lab, f"time={before}"))
        storage.passed(storage.backup(lab))
        storage.passed(storage.proof(lab))


def test_flipped_byte_in_a_base_backup(lab):
    made = storage.passed(storage.backup(lab))
    storage.archived(lab)
    with damaged(lab, made["backup"], "flipped"):
        # WAL-G fetches a damaged part three times, and waits for three minutes meanwhile
        reason = storage.failed(storage.proof(lab), "corrupt")
        assert made["backup"] in reason
        if storage.settings(lab)["tool"] == "pgbackrest":
            assert "DAMAGED" in str(lab.call(leader(lab), "walg.verify", check=False)[0])
        storage.passed(storage.backup(lab))
        storage.passed(storage.proof(lab))


def begun(lab, node, *function):
    """``salt-call`` on a node, not waited for."""
    return subprocess.Popen(
        [str(ROOT / "lab" / "run"), node, "salt-call", *function], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@contextlib.contextmanager
def killed_in_the_middle_of(lab, node, function, looks):
    """A node loses its power while a function runs there, as soon as ``looks``, a script, says 0; it starts after the block."""
    call = begun(lab, node, *function)
    try:
        until(
            lambda: lab.run(node, "sh", "-c", looks, check=False).returncode == 0,
            f"{function[0]} to be in the middle of it",
            120,
            every_s=0.1,
        )
        assert call.poll() is None, f"{function[0]} was over before its node could be killed"
        lab.script("node.sh", node, "kill")
        call.wait(60)
        yield
    finally:
        lab.script("node.sh", node, "start")
        call.kill()
        call.wait(10)


def free(lab, call):
    """What a call says as soon as the lock of the one that died is free: it hangs on a lease of 30 s."""
    began, said = time.monotonic(), []

    def passes():
        said[:] = [call()]
        return isinstance(said[0], dict) and "verdict" in said[0]

    until(passes, "the lock to be free", 120, every_s=1, why=lambda: f": {said}")
    took_s = time.monotonic() - began
    print(f"\nfree and done after {took_s:.0f} s")
    return storage.passed(said[0])


def nothing_left(lab, node):
    """A node that is back has nothing of what it was doing."""
    whole(lab, 240)
    until(lambda: leavings(lab, node) == "", "all of it to be gone", 60)
    # neither what makes base backups, nor what proves them; archiving isn't among it
    look = "pgrep -af '[b]ackup-push|[b]ackup-fetch|saltroni.backup.[w]ork|pgbackrest.* [b]ackup'; true"
    assert lab.run(node, "sh", "-c", look).stdout == ""
    folders = f"ls -A {lab.model['folders']['data']}/pg_tblspc /run/saltroni-work 2>/dev/null | grep -v :; true"
    assert lab.run(node, "sh", "-c", folders).stdout.strip() == ""


def ids(lab, node):
    return [row["id"] for row in lab.call(node, "walg.list")[0]]


def test_node_killed_in_the_middle_of_a_base_backup(lab):
    node, first = replica(lab), leader(lab)
    other = next(name for name in storage.members(lab) if name not in (node, first))
    before = ids(lab, first)
    tool = storage.settings(lab)["tool"]
    path = storage.CONFIG[tool]
    # slower, so that there is a middle: a database of 40 MB takes twenty seconds
    slow = {
        "walg": f"printf '\\nWALG_DISK_RATE_LIMIT: \"2097152\"\\n' >>{path}",
        "pgbackrest": f"sed -i -e 's/^compress-type=.*/compress-type=bz2/' -e 's/^compress-level=.*/compress-level=9/' -e 's/^process-max=.*/process-max=1/' {path}",
    }[tool]
    looks = {"walg": "pgrep -f '[b]ackup-push' && sleep 2", "pgbackrest": "pgrep -f 'pgbackrest [b]ackup'"}[tool]
    try:
        lab.run(node, "sh", "-ec", f"cp -p {path} {path}.lab; {slow}")
        with killed_in_the_middle_of(lab, node, ("walg.backup", "full=True", "here=True"), looks):
            assert ids(lab, first) == before
            made = free(lab, lambda: storage.backup(lab, other))
            # the half one isn't there, and the whole one is the only new one
            assert ids(lab, first) == [*before, made["backup"]]
            storage.passed(storage.proof(lab, node=other))
    finally:
        back = f"test ! -e {path}.lab || mv {path}.lab {path}"
        until(lambda: lab.run(node, "sh", "-c", back, check=False).returncode == 0, f"{node} to be back", 60)
    nothing_left(lab, node)
    assert ids(lab, node) == [*before, made["backup"]]


def test_node_killed_in_the_middle_of_a_proof(lab):
    node, first = replica(lab), leader(lab)
    other = next(name for name in storage.members(lab) if name not in (node, first))
    place = lab.model["backup"]["proof_folder"] or "/var/lib/saltroni-backup"
    before = ids(lab, first)
    with killed_in_the_middle_of(lab, node, ("walg.prove",), f"test -e {place}/proof/data"):
        free(lab, lambda: storage.proof(lab, node=other))
    nothing_left(lab, node)
    assert ids(lab, first) == before
    # no tablespace came with it either, on any member
    assert (
        storage.sql(lab, "SELECT string_agg(spcname, ' ' ORDER BY spcname) FROM pg_tablespace")
        == "pg_default pg_global"
    )
    storage.passed(storage.proof(lab, node=node))
