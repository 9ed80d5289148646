"""A storage that is out, full, refuses, shows an old certificate or has lost everything: writes go on, nothing is lost, and
everybody is told why.

Full: the nodes of this lab share one disk, which must not be filled. SeaweedFS stops writing when less than its
``-volume.minFreeSpace`` is free (1 % by itself); the test gives it a number that is never free. From there on it does what
it does on a disk that is full.

A clock that is wrong can be shown to pgBackRest only: the nodes are containers, and have the machine's; a library tells it
another time. WAL-G asks the kernel: what S3 and TLS say to it then is known by tests/unit/test_archive_tools.py only.
"""

import json
import subprocess
import time
from pathlib import Path

import pytest

from . import storage
from .conftest import MASTER, ROOT, SETTINGS, failures, until, whole
from .storage import begun_sound, in_the_end_all_is_well, leader, replica  # noqa: F401  fixtures

pytestmark = storage.ours
LOAD = Path(__file__).parent / "load.py"
#: How long the storage is stopped, and how long its writers write (seconds).
OUT_S, LOAD_S = 180, 320
#: For a storage that comes back: the rest of the pause that archive_command makes, the next segment, and the backlog.
CAUGHT_UP_S = 60


def test_stopped_for_three_minutes_under_load(lab):
    first, node = leader(lab), storage.storage(lab)
    timeline = lab.call(first, "patroni.cluster")[0]["members"][first]["timeline"]
    warns_s = json.loads(lab.run(first, "cat", "/etc/saltroni/backup.json").stdout).get("warn_unarchived_s", 120)
    assert warns_s + 40 < OUT_S, "the pillar's backup:warn_unarchived_s is too long for this test"
    balancer = lab.model["by_role"]["haproxy"][0]
    with (
        LOAD.open(encoding="utf-8") as script,
        subprocess.Popen(
            [str(ROOT / "lab" / "run"), balancer, "/opt/salt/bin/python", "-", str(LOAD_S)],
            stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as load,
    ):  # fmt: skip
        time.sleep(10)
        with storage.healed(lab, node, "systemctl start saltroni-s3", OUT_S + 60):
            lab.run(node, "systemctl", "stop", "saltroni-s3")
            stopped = time.monotonic()
            warned(lab, first, stopped + OUT_S)
            health, _ = lab.call(first, "walg.health")
            assert health["failure"]["kind"] == "unreachable", health
            assert "(unreachable: " in health["sentence"]
            assert "waits for the archive since" in health["sentence"]
            storage.refused(lab, replica(lab), "unreachable")
            time.sleep(max(0, stopped + OUT_S - time.monotonic()))
        storage.usable(lab)
        back = time.monotonic()
        backlog = storage.waiting(lab, first)
        assert len(backlog) > 5, backlog
        until(lambda: not backlog & storage.waiting(lab, first), "the archive to catch up", CAUGHT_UP_S)
        took_s = time.monotonic() - back
        said, _ = load.communicate(timeout=LOAD_S)
    assert load.returncode == 0, said
    seen = json.loads(said.strip().splitlines()[-1])
    print(f"\n{len(backlog)} files in {took_s:.0f} s; {seen['acknowledged']} rows, longest wait {seen['longest_s']} s")
    assert seen["acknowledged"] > 1000
    assert (seen["errors"], seen["refused"], seen["not_connected"]) == ({}, 0, 0)
    assert seen["lost"] + seen["damaged"] + seen["duplicated"] + seen["refused_but_present"] == 0, seen
    assert seen["unknown"] == seen["undurable"] == {"present": 0, "absent": 0}
    assert leader(lab) == first
    assert lab.call(first, "patroni.cluster")[0]["members"][first]["timeline"] == timeline
    health, _ = lab.call(first, "walg.health")
    assert (health["failure"], health["sentence"]) == (None, None)


def warned(lab, first, until_monotonic):
    """The leader's health warns of an archive that can't be reached; the cluster is whole nevertheless."""
    said = {}

    def looked():
        answer, _ = lab.call(first, "patroni.health", check=False)
        said.update(answer if isinstance(answer, dict) else {"reasons": [answer]})
        return [reason for reason in said["reasons"] if "waits for the archive since" in reason]

    left_s = until_monotonic - time.monotonic()
    reasons = until(looked, "patroni.health to warn", left_s, every_s=3, why=lambda: f"; it says {said['reasons']}")
    assert "(unreachable: " in reasons[0]
    assert (said["verdict"], said["whole"]) == ("warning", True), said["reasons"]


DROP_IN = "/etc/systemd/system/saltroni-s3.service.d/lab-full.conf"
FILL = rf"""
unit=/etc/systemd/system/saltroni-s3.service
mkdir -p {Path(DROP_IN).parent}
{{
    echo '[Service]'
    echo ExecStart=
    sed -n '/^ExecStart=/,/[^\\]$/p' $unit | sed '$s/$/ -volume.minFreeSpace=100/'
}} >{DROP_IN}
systemctl daemon-reload
systemctl restart saltroni-s3
"""
EMPTY = f"rm -f {DROP_IN}; systemctl daemon-reload; systemctl restart saltroni-s3"


def test_full(lab):
    node, first = storage.storage(lab), leader(lab)
    before = storage.moment(lab)
    # what pgBackRest says of a push in the background is that it took too long
    kinds = {"walg": ("full",), "pgbackrest": ("full", "timeout")}[storage.settings(lab)["tool"]]
    with storage.healed(lab, node, EMPTY, 900):
        lab.run(node, "sh", "-ec", FILL)
        lab.call(node, "seaweedfs.buckets", "timeout_s=120")
        until(lambda: lab.call(first, "walg.list", check=False)[1] == 0, "the storage to be read", 60)
        # for some seconds after its start it can't be read either
        until(
            lambda: "(full: " in str(lab.call(replica(lab), "walg.probe", check=False)[0]), "a probe to say full", 120
        )
        storage.waits_for(lab, *kinds)
        storage.failed(storage.backup(lab), *kinds)
        # what was archived before can be restored all the while
        storage.passed(storage.proof(lab, f"time={before}"))


def named_and_healed_by_state(lab, first, kind):
    """What is wrong on one member is named when it probes, archives and backs up, the others are well, and the state mends it."""
    storage.refused(lab, first, kind)
    storage.waits_for(lab, kind)
    storage.failed(storage.backup(lab), kind)
    assert lab.call(replica(lab), "walg.probe")[0] is True
    assert failures(lab.apply(first)) == []
    assert lab.call(first, "walg.probe")[0] is True


def test_wrong_key_on_one_member(lab):
    first, tool = leader(lab), storage.settings(lab)["tool"]
    path = storage.CONFIG[tool]
    secret = {"walg": "AWS_SECRET_ACCESS_KEY: ", "pgbackrest": "repo1-s3-key-secret="}[tool]
    # the right one is kept beside it, with its rights
    cure = f"test ! -e {path}.lab || mv {path}.lab {path}"
    with storage.healed(lab, first, cure, 600):
        lab.run(first, "sh", "-ec", f"cp -p {path} {path}.lab; sed -i 's/^{secret}.*/{secret}anothersecretkey/' {path}")
        named_and_healed_by_state(lab, first, "credentials")


@pytest.mark.skipif(
    SETTINGS.get("backup", {}).get("tool") != "pgbackrest",
    reason="WAL-G asks the kernel for the time, which all nodes share",
)
def test_clock_of_one_member_is_an_hour_fast(lab):
    first, path, program = leader(lab), "/etc/saltroni/backup.json", "/usr/local/bin/lab-fast-clock"
    lab.run(first, "sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends faketime")
    cure = f"test ! -e {path}.lab || mv {path}.lab {path}; rm -f {program}"
    told = json.loads(lab.run(first, "cat", path).stdout)
    with storage.healed(lab, first, cure, 600):
        make = f"cat >{program}; chmod 0755 {program}; cp -p {path} {path}.lab"
        lab.run(first, "sh", "-ec", make, stdin='#!/bin/sh\nexec faketime -f +1h /usr/bin/pgbackrest "$@"\n')
        lab.run(first, "sh", "-c", f"cat >{path}", stdin=json.dumps({**told, "pgbackrest": program}))
        named_and_healed_by_state(lab, first, "clock")


#: The certificate on standard input, as it would be had it ended yesterday, by the CA in a folder.
ENDED = """
import datetime, sys
from pathlib import Path
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
good = x509.load_pem_x509_certificate(sys.stdin.buffer.read())
key = serialization.load_pem_private_key((Path(sys.argv[1]) / "ca.key").read_bytes(), None)
now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
made = x509.CertificateBuilder().subject_name(good.subject).issuer_name(good.issuer).public_key(good.public_key())
made = made.serial_number(x509.random_serial_number()).not_valid_before(now - 30 * day).not_valid_after(now - day)
for one in good.extensions:
    made = made.add_extension(one.value, one.critical)
sys.stdout.write(made.sign(key, hashes.SHA384()).public_bytes(serialization.Encoding.PEM).decode())
"""


def test_certificate_that_has_ended(lab):
    node, path = storage.storage(lab), "/etc/saltroni/pki/s3.crt"
    good = lab.run(node, "cat", path).stdout
    folder = f"/etc/saltroni/ca/{lab.model['cluster']}"
    ended = lab.run(MASTER, "/opt/salt/bin/python", "-c", ENDED, folder, stdin=good).stdout
    cure = f"test ! -e {path}.lab || {{ mv {path}.lab {path}; systemctl restart saltroni-s3; }}"
    with storage.healed(lab, node, cure, 600):
        lab.run(node, "sh", "-ec", f"cp -p {path} {path}.lab; cat >{path}; systemctl restart saltroni-s3", stdin=ended)
        probed = []

        def told():
            probed[:] = [str(lab.call(replica(lab), "walg.probe", check=False)[0])]
            return "(certificate: " in probed[0]

        until(told, "a probe to name the certificate", 90, every_s=1, why=lambda: f": {probed}")
        assert "expired" in probed[0]
        storage.waits_for(lab, "certificate")
        storage.failed(storage.backup(lab), "certificate")
        # nobody has to know which certificate that is: applying the state makes a new one
        assert "days left" in str(lab.call(node, "certificate.problem", "s3")[0])
        assert failures(lab.apply(node)) == []
        lab.run(node, "rm", f"{path}.lab")
    assert lab.run(node, "cat", path).stdout not in (good, ended)


def test_bucket_deleted(lab):
    node, first = storage.storage(lab), leader(lab)
    bucket = lab.model["backup"]["storage"]["bucket"]
    # pgBackRest takes a bucket that isn't there for an archive that has lost what it had
    kinds = {"walg": ("no_bucket",), "pgbackrest": ("no_bucket", "gone")}[storage.settings(lab)["tool"]]
    cure = f"salt-call seaweedfs.make_bucket {bucket}"
    with storage.healed(lab, node, cure, 600):
        storage.without_bucket(lab)
        storage.refused(lab, first, *kinds)
        storage.waits_for(lab, *kinds)
        storage.failed(storage.backup(lab), *kinds)
        storage.failed(storage.proof(lab), *kinds)
        assert failures(lab.apply(node)) == []
    # the bucket is there and empty: nobody takes that for a new archive by himself, once the answer of the last minute is old
    until(lambda: "(gone: " in str(lab.call(first, "walg.probe", check=False)[0]), "a probe to say gone", 90, every_s=2)
    storage.waits_for(lab, "gone")
    storage.failed(storage.backup(lab), "gone")
    storage.on_purpose(lab)
    storage.usable(lab)
    storage.archived(lab)
    # log alone is nothing that could be restored
    assert lab.call(first, "walg.list")[0] == []
    storage.failed(storage.proof(lab), "missing")
    made = storage.passed(storage.backup(lab))
    assert [row["id"] for row in lab.call(first, "walg.list")[0]] == [made["backup"]]
    whole(lab, 60)
