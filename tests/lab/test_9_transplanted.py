"""Restored into a new cluster: docs/backups.md, "Into a new cluster". The last test: the lab has another bucket afterwards."""

import json
import re

import yaml

from . import storage
from .conftest import MASTER, SETTINGS, failures
from .storage import leader
from .test_5_refused import PILLAR
from .test_8_restore import ROWS, fill, lose, one_timeline, orchestrate, restored, runner

pytestmark = storage.ours
SOURCE, IDENTITIES = "/etc/saltroni/source", "/etc/saltroni/s3/identities.json"
FILES = {
    "walg": {"walg.yaml": "/etc/saltroni/walg.yaml", "pgp.key": "/etc/saltroni/pgp.key"},
    "pgbackrest": {"pgbackrest.conf": "/etc/pgbackrest/pgbackrest.conf"},
}


def test_into_a_new_cluster_with_a_key_that_may_only_read(lab):
    tool, table = lab.model["backup"]["tool"], "transplanted"
    storage.passed(storage.backup(lab))
    moment = fill(lab, table)
    lose(lab, table)
    storage.archived(lab)
    first = leader(lab)
    names = {"backup.json": "/etc/saltroni/backup.json", **FILES[tool]}
    kept = {name: lab.run(first, "cat", path).stdout for name, path in names.items() if present(lab, first, path)}

    for node in (*lab.model["by_role"]["etcd"], *storage.members(lab)):
        lab.script("node.sh", node, "kill")
        lab.script("node.sh", node, "rebuild", timeout_s=1200)
    before = stored(lab)  # its leader has archived until then
    # another cluster has other passwords and keys, and knows of no restore
    folder = f"/var/lib/saltroni/{lab.model['cluster']}"
    lab.run(MASTER, "sh", "-c", f"rm -rf {folder}/secrets.json {folder}/pgp* {folder}/restores")
    settings = {**SETTINGS["backup"], "storage": {"bucket": "saltroni-second"}}
    # nothing is archived before the old data have given way
    for enabled in (False, True):
        told(lab, {**settings, "enabled": enabled})
    node = storage.members(lab)[0]
    entrusted(lab, node, kept)
    may_only_read(lab, kept[names_of_settings(tool)])

    plan = runner(lab, "plan", f"time={moment}", f"source={SOURCE}", f"node={node}")
    assert plan["verdict"] == "possible"
    orchestrate(lab, time=moment, source=SOURCE, node=node)
    lab.run(node, "rm", "-r", SOURCE)
    restored(lab, table, ROWS)
    assert leader(lab) == node
    one_timeline(lab)
    # the first cluster's archive is what it was, and the new one has its own
    assert stored(lab) == before
    assert failures(lab.apply()) == []
    storage.verified(lab)
    storage.passed(storage.proof(lab))


def present(lab, node, path):
    return lab.run(node, "test", "-e", path, check=False).returncode == 0


def names_of_settings(tool):
    return next(name for name in FILES[tool] if name.startswith(tool))


def stored(lab):
    """Bytes and objects in the first cluster's bucket."""
    return re.sub(r"\s+", " ", storage.shell(lab, f"fs.du /buckets/{lab.model['backup']['storage']['bucket']}"))


def told(lab, backup):
    """The master gets another pillar, and all nodes its state."""
    text = yaml.safe_dump({"saltroni": {**SETTINGS, "backup": backup}})
    lab.run(MASTER, "sh", "-c", f"cat > {PILLAR}", stdin=text)
    lab.salt("*", "saltutil.refresh_pillar", "wait=True")
    assert failures(lab.apply(options=("-t", "300"))) == []


def entrusted(lab, node, kept):
    """The first cluster's files on the node that will lead, as the documentation says."""
    lab.run(node, "install", "-d", "-o", "root", "-g", "postgres", "-m", "0750", SOURCE)
    for name, text in kept.items():
        here = re.sub(r"(?m)^WALG_PGP_KEY_PATH: .*", f"WALG_PGP_KEY_PATH: {SOURCE}/pgp.key", text)
        put = f"umask 027; cat > {SOURCE}/{name}; chgrp postgres {SOURCE}/{name}"
        lab.run(node, "sh", "-c", put, stdin=here)


def may_only_read(lab, settings):
    """The storage knows the first cluster's key still, but lets it read only."""
    key, secret = (
        re.search(rf'(?m)^(?:{name})"?([^"\n]+)', settings)[1]
        for name in ("AWS_ACCESS_KEY_ID: |repo1-s3-key=", "AWS_SECRET_ACCESS_KEY: |repo1-s3-key-secret=")
    )
    node, bucket = storage.storage(lab), lab.model["backup"]["storage"]["bucket"]
    known = json.loads(lab.run(node, "cat", IDENTITIES).stdout)
    known["identities"].append({
        "name": "first", "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": [f"Read:{bucket}", f"List:{bucket}"],
    })  # fmt: skip
    lab.run(node, "sh", "-c", f"cat > {IDENTITIES}; systemctl reload saltroni-s3", stdin=json.dumps(known))
