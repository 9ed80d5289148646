"""What bench/backup does on a PostgreSQL node: this file comes in by standard input, ``python3 - NAME [WORD]`` as root.

Prints one line of JSON. All that is measured goes to a folder and to a place in the storage of its own: the cluster's archive
isn't touched.
"""

import contextlib
import json
import os
import re
import resource
import secrets
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, "/usr/local/lib/saltroni/python")

import yaml

from saltroni.backup import files, run, settings, tools
from saltroni.backup.failure import Failure

TOLD = settings.load()
PLACE = TOLD.state / "bench"
TARGET = PLACE / "data"
STANZA = "saltroni-bench"
PATRONI, KEPT = Path("/etc/patroni/config.yml"), Path("/etc/patroni/config.yml.bench")
CONFIGS = {"walg": PLACE / "walg.yaml", "pgbackrest": PLACE / "pgbackrest.conf"}
LIMIT_S = 3600
#: How far a copy may be from the size of what it is a copy of: a server that runs writes a little meanwhile.
SHARE = 0.02


def size_of(folder):
    """Bytes of a data directory without its log, which neither tool copies."""
    total = 0
    for path, folders, names in os.walk(folder):
        if path == str(folder):
            folders[:] = [one for one in folders if one != "pg_wal"]
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a server runs here
                total += Path(path, name).lstat().st_size
    return total


def facts():
    """What there is here."""
    return {
        "data_bytes": size_of(TOLD.data_dir),
        "free_bytes": shutil.disk_usage(TOLD.state).free,
        "tool": TOLD.tool,
        "programs": [name for name in CONFIGS if os.access(getattr(TOLD, name), os.X_OK)],
        "pgp": Path("/etc/saltroni/pgp.key").exists(),
    }


def prepare(told, *places):
    """Make the folder (and a storage's, if it is one), and settings of the tools for them. What is secret is filled in here."""
    clean(*places)  # of a run that was killed
    for folder in (PLACE, PLACE / "state", *map(Path, places)):
        folder.mkdir(mode=0o700)
        files.given(folder, TOLD.user)
    own = Path(getattr(TOLD, f"{TOLD.tool}_config")).read_text(encoding="utf-8")
    keys = {"@cipher@": secrets.token_urlsafe(32)}
    for mark, names in (
        ("@access@", "AWS_ACCESS_KEY_ID: |repo1-s3-key="),
        ("@secret@", "AWS_SECRET_ACCESS_KEY: |repo1-s3-key-secret="),
    ):
        found = re.search(rf'(?m)^(?:{names})"?([^"\n]+)', own)
        keys[mark] = found[1] if found else ""
    for name, text in json.loads(told).items():
        files.private(
            CONFIGS[name], re.sub("@(?:access|secret|cipher)@", lambda found: keys[found[0]], text), TOLD.user
        )
    patroni = yaml.safe_load(PATRONI.read_text(encoding="utf-8"))
    replicator = patroni["postgresql"]["authentication"]["replication"]
    files.private(PLACE / "pgpass", f"*:*:*:{replicator['username']}:{replicator['password']}\n", TOLD.user)
    return {}


def other(name):
    """A tool whose archive is the bench's own; its settings."""
    changed = replace(
        TOLD, tool=name, cluster=STANZA, prefix="the bench's own place", state_folder=str(PLACE / "state"),
        walg_config=str(CONFIGS["walg"]), pgbackrest_config=str(CONFIGS["pgbackrest"]),
    )  # fmt: skip
    return tools.tool(changed), changed


def must(done, what):
    """Refuse an exit code."""
    if done.code != 0:
        raise Failure("other", f"{what}: exit code {done.code}: {run.short(done.text)}")
    return done.out


def timed(work):
    """Seconds until it has ended, until all that was written is on the disk, and of a processor; what was written before
    doesn't count."""
    os.sync()
    before, begun = processor(), time.monotonic()
    result = work()
    took, used = time.monotonic() - begun, processor() - before
    os.sync()
    return result, {"took_s": round(took, 2), "synced_s": round(time.monotonic() - begun, 2), "cpu_s": round(used, 2)}


def processor():
    """Seconds that all programs which were started here, and have ended, have had a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def copied(work):
    """The same for something that makes a data directory, which must be whole; it is removed again."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(mode=0o700)
    files.given(TARGET, TOLD.user)
    _, figures = timed(work)
    there, wanted = size_of(TARGET), size_of(TOLD.data_dir)
    shutil.rmtree(TARGET)
    if abs(there - wanted) > SHARE * wanted:
        raise Failure("other", f"the copy has {there} bytes, the data directory {wanted}")
    return {**figures, "bytes": there}


def copy():
    """``cp -a``, without the log. What vanishes meanwhile, as a server's temporary files do, is no failure."""
    parts = [str(path) for path in Path(TOLD.data_dir).iterdir() if path.name != "pg_wal"]

    def work():
        done = run.run(["cp", "-a", "-t", str(TARGET), *parts], LIMIT_S)
        if not all(line.endswith("No such file or directory") for line in done.err.splitlines()):
            must(done, "cp")

    return copied(work)


def basebackup():
    """``pg_basebackup``, by the one way that pg_hba allows: TLS, from this node's own address."""
    address = TOLD.members[TOLD.member]["address"]
    command = [
        str(TOLD.programs / "pg_basebackup"), "-D", str(TARGET), "-X", "none", "--checkpoint=fast", "--no-sync",
        "-d", f"host={address} port={TOLD.port} user=replicator sslmode=require gssencmode=disable",
    ]  # fmt: skip
    environment = {"PGPASSFILE": str(PLACE / "pgpass")}
    return copied(lambda: must(run.run(command, LIMIT_S, TOLD.user, environment), "pg_basebackup"))


def push(name):
    """A full base backup; WAL-G's as the product makes it."""
    tool, _ = other(name)
    if name == "walg":
        made, figures = timed(lambda: tool.backup(True))
        identity = made["backup"]
        stored = made["bytes"]
    else:
        tool.claim(None)
        # on a replica it would have to ask the leader's own pgBackRest, and the archive_command would have to name it
        words = ["--type=full", "--no-online", "--force", "--exclude=pg_wal/"]
        _, figures = timed(lambda: tool._do("a base backup", "backup", words, LIMIT_S))
        one = json.loads(tool._info())[0]["backup"][-1]
        identity = one["label"]
        stored = one["info"]["repository"].get("delta")
    (PLACE / f"{name}.id").write_text(identity)
    return {**figures, "stored": stored}


def fetch(name):
    """The restore of what was pushed, as the product does it."""
    identity = (PLACE / f"{name}.id").read_text()
    return copied(lambda: other(name)[0].restore(identity, TARGET))


def forget(name):
    """Nothing of a tool's is left in the bench's own place."""
    tool, changed = other(name)
    if name == "walg":
        # without --confirm it would only say what it would do
        tool._do("removing all", ["delete", "everything", "FORCE", "--confirm"], changed.verify_timeout_s)
        return {}
    try:
        tool._do("stopping", "stop", [], changed.list_timeout_s)
        tool._do("removing all", "stanza-delete", ["--force"], changed.verify_timeout_s)
    finally:
        tool._do("allowing", "start", [], changed.list_timeout_s)
    return {}


def made_by(method):
    """Patroni makes this node's replica by ``backup`` or ``basebackup`` only, until :func:`as_it_was`."""
    told = yaml.safe_load(PATRONI.read_text(encoding="utf-8"))
    here = told["postgresql"]
    waldir = next((one["waldir"] for one in here["basebackup"] if "waldir" in one), "")
    here["create_replica_methods"] = [method]
    here["backup"] = {"command": f"/usr/local/lib/saltroni/replica{f' --waldir={waldir}' if waldir else ''}"}
    if not KEPT.exists():
        run.run(["cp", "-p", str(PATRONI), str(KEPT)], LIMIT_S)
    files.private(PATRONI, yaml.safe_dump(told, allow_unicode=True), TOLD.user)
    must(run.run(["systemctl", "reload", "patroni"], LIMIT_S), "reloading Patroni")
    time.sleep(5)  # it reads them in its next round
    return {}


def as_it_was():
    """Patroni's settings again what the state made of them."""
    if KEPT.exists():
        KEPT.replace(PATRONI)
        must(run.run(["systemctl", "reload", "patroni"], LIMIT_S), "reloading Patroni")
    return {}


def unmake(identity):
    """Remove a base backup from the cluster's archive, unless something rests upon it, or it is all that there is."""
    tool, known = tools.tool(TOLD), tools.tool(TOLD).list()
    if identity not in {one.id for one in known}:
        return {}
    if any(one.base == identity for one in known):
        return {"kept": f"{identity} stays in the archive: another backup rests upon it"}
    if not any(one.kind == tools.FULL for one in known if one.id != identity):
        return {"kept": f"{identity} stays in the archive: it has no other full one"}
    if TOLD.tool == "walg":
        tool._do("removing", ["delete", "target", identity, "--confirm"], TOLD.verify_timeout_s)
    else:
        tool._do("removing", "expire", [f"--set={identity}"], TOLD.verify_timeout_s)
    return {}


def clean(*places):
    """Remove all that was made, here and in the storage; what couldn't be."""
    as_it_was()
    left = []
    for name, config in CONFIGS.items():
        if config.exists() and os.access(getattr(TOLD, name), os.X_OK):
            try:
                forget(name)
            except Failure as err:
                left.append(f"{name}: {err}")
    for path in (PLACE, *places):
        shutil.rmtree(path, ignore_errors=True)
    return {"left": left}


WORK = (facts, prepare, copy, basebackup, push, fetch, made_by, as_it_was, unmake, clean)
try:
    print(json.dumps({one.__name__: one for one in WORK}[sys.argv[1]](*sys.argv[2:])))
except (Failure, OSError) as err:
    sys.exit(f"{sys.argv[1]}: {err}")
