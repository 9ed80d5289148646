"""WAL-G's key is changed while the archive is in use, and its program is the one that the pillar names."""

import pytest

from . import storage
from .conftest import MASTER, SETTINGS, failures
from .storage import begun_sound, in_the_end_all_is_well, replica  # noqa: F401  fixtures

pytestmark = [
    storage.ours,
    pytest.mark.skipif(
        SETTINGS.get("backup", {}).get("tool", "walg") != "walg", reason="the cluster's tool isn't WAL-G"
    ),
]
PROGRAM = "/usr/local/bin/wal-g"
#: What the lab adds to the pillar: the hash of the program that it was given.
BESIDE = "/srv/saltroni-lab/pillar.yml"


def test_the_key_is_changed_and_what_the_old_one_encrypted_comes_back(lab):
    before = storage.moment(lab)
    made = lab.run(MASTER, "salt-run", "--out=json", "secret.pgp_rotate").stdout
    assert '"keys": 2' in made
    lab.salt("*", "saltutil.refresh_pillar", "wait=True")
    assert failures(lab.apply()) == []
    storage.archived(lab)
    storage.passed(storage.backup(lab))
    # by the new key, and across the change by both
    storage.passed(storage.proof(lab))
    storage.passed(storage.proof(lab, f"time={before}"))
    again = lab.run(MASTER, "salt-run", "secret.pgp_rotate", check=False)
    assert again.returncode != 0
    assert "finish" in again.stdout + again.stderr


def test_another_program_than_the_pillar_names_is_refused(lab):
    node, wrong = replica(lab), "0" * 64
    good = lab.run(MASTER, "cat", BESIDE).stdout
    there = lab.run(node, "sha256sum", PROGRAM).stdout
    bad = good.replace(there.split()[0], wrong)
    assert wrong in bad
    try:
        lab.run(MASTER, "sh", "-c", f"cat > {BESIDE}", stdin=bad)
        assert any("isn't the one whose SHA-256" in sentence for sentence in failures(lab.apply(node)))
        # nor does it come to a node that has none
        lab.run(node, "mv", PROGRAM, f"{PROGRAM}.lab")
        try:
            assert any("Install WAL-G" in sentence for sentence in failures(lab.apply(node)))
            assert lab.run(node, "test", "-e", PROGRAM, check=False).returncode != 0
        finally:
            lab.run(node, "mv", f"{PROGRAM}.lab", PROGRAM)
    finally:
        lab.run(MASTER, "sh", "-c", f"cat > {BESIDE}", stdin=good)
    assert lab.run(node, "sha256sum", PROGRAM).stdout == there
    assert failures(lab.apply(node)) == []
