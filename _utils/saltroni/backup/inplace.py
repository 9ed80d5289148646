"""The parts of a whole-cluster restore that are done with files and a private server on one node, as postgres.

Each can be done again: what it finds done it leaves. What was done is written into the data directory itself, and moves
with it.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from saltroni.backup import control, local, target, tools, wal
from saltroni.backup.copy import Copy
from saltroni.backup.failure import Failure
from saltroni.backup.settings import load

#: In the data directory: ``{restore, step, ...}``.
MARK = "saltroni.restore"
FETCHED, RECOVERED, PROMOTED, ARCHIVED = "fetched", "recovered", "promoted", "archived"
ORDER = (FETCHED, RECOVERED, PROMOTED, ARCHIVED)


def marked(data):
    """What a data directory's mark says, {} without one."""
    try:
        found = json.loads((Path(data) / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def mark_of(data, restore):
    """The mark of this restore: what another one wrote, which made these data earlier, is none."""
    mark = marked(data)
    return mark if mark.get("restore") == restore else {}


def has(data, restore, step):
    """Whether a data directory is this restore's, and so far."""
    mark = mark_of(data, restore)
    return bool(mark) and ORDER.index(step) <= ORDER.index(mark.get("step", FETCHED))


def mark(data, restore, step, **more):
    """Write down that a data directory is so far; what was written before stays."""
    from saltroni.backup.work import keep

    keep(Path(data) / MARK, {**mark_of(data, restore), **more, "restore": restore, "step": step})
    return marked(data)


def fetch(job, tool=None):
    """Fetch the base backup into a folder beside the data directory.

    Args:
        job: ``{restore, source, folder, data, wal, backup}``: the restore's id, the settings of the archive to read, a
            folder of postgres's own, the folders that shall be made, the base backup's id.

    Raises:
        Failure
    """
    if has(job["data"], job["restore"], FETCHED):
        return {"took_s": 0, **marked(job["data"])}
    for folder in (job["data"], job["wal"]):
        if folder and Path(folder).exists():
            shutil.rmtree(folder)
    copy = Copy(job["source"], job["folder"], job["data"], job["wal"], tool=tool)
    took_s = round(copy.fetch(job["backup"]), 1)
    found = copy.control()
    return mark(job["data"], job["restore"], FETCHED, fetch_s=took_s, system_id=found.system_id, backup=job["backup"])


def recover(job, tool=None):
    """Replay up to the target, and stop there: nothing is promoted, so nothing is decided yet.

    Args:
        job: see :func:`fetch`, and ``{target, timeline, deadline_s}``.

    Raises:
        Failure: the archive ends before the target, or can't be read.
    """
    if has(job["data"], job["restore"], RECOVERED):
        return marked(job["data"])
    asked = target.parse(job["target"])
    copy = Copy(job["source"], job["folder"], job["data"], tool=tool)
    try:
        copy.start(asked, job["timeline"], action="shutdown")
        copy.server.await_ended(job["deadline_s"])
    finally:
        copy.server.stop()
    if "shutdown at recovery target" not in copy.server.said():
        raise copy.server.failure()
    found = copy.stopped_in_order()
    return mark(
        job["data"], job["restore"], RECOVERED,
        stopped_at=copy.server.stopped_at(), last_commit=copy.server.last_commit(),
        replayed=wal.place(max(found.end[1], found.checkpoint)),
    )  # fmt: skip


def promote(job, tool=None, own=None):
    """Make the data a leader's on a timeline of its own, stop it in order, and archive how the timeline began.

    PostgreSQL takes the number after the last one whose history the archive has, or the data have themselves.

    Args:
        job: see :func:`recover`, and ``settings``: those of the archive to write; ``timeline`` may be ``current``;
            ``accounts``: SQL that gives the cluster's own accounts their passwords, see :mod:`saltroni.restore.accounts`.

    Raises:
        Failure: also if the archive knows the new timeline already; nothing is written to it then.
    """
    data, restore = job["data"], job["restore"]
    own = own or tools.tool(load(job["settings"]))
    if not has(data, restore, PROMOTED):
        _promote(job, tool)
    if not has(data, restore, ARCHIVED):
        claimed(own, marked(data)["system_id"], load(job["settings"]), data)
        archive(own, Path(data), marked(data)["timeline"], wal.position(marked(data)["end"]), load(job["settings"]))
        mark(data, restore, ARCHIVED)
    return marked(data)


def _promote(job, tool):
    data, restore = job["data"], job["restore"]
    copy, asked = Copy(job["source"], job["folder"], data, tool=tool), target.parse(job["target"])
    said = mark_of(data, restore)
    begun = said.get("promoting")
    undecided = not (Path(data) / "recovery.signal").exists() and begun == copy.control().timeline
    if begun and undecided and asked.kind != target.LATEST:
        # PostgreSQL had forgotten that it recovers, and not yet begun its timeline: it would replay beyond the target now
        (Path(data) / MARK).unlink()
        fetch(job, tool)
        recover(job, tool)
        begun = None
    before = begun or copy.control().timeline
    if not begun:
        mark(data, restore, said.get("step", FETCHED), promoting=before)
    # what is on a later timeline already was promoted, and recovers from a crash at most
    signal = copy.control().timeline == before
    with copy.recovered(asked, job["deadline_s"], job["timeline"], signal=signal) as server:
        last = server.last_commit()
        if job.get("accounts"):
            server.ask(";\n".join(job["accounts"]))
    found = copy.stopped_in_order()
    if found.state != control.STOPPED or found.timeline <= before:
        raise Failure("database", f"{data} wasn't promoted: {found.state} on timeline {found.timeline}")
    last = last or marked(data).get("last_commit")
    mark(data, restore, PROMOTED, timeline=found.timeline, end=wal.place(found.checkpoint), system_id=found.system_id,
         last_commit=last)  # fmt: skip


def claimed(tool, system_id, settings, data):
    """Refuse to write into another database's archive; claim one that is nobody's for the database of a data directory.

    Raises:
        Failure: ``foreign``
    """
    owner = tool.owner()
    if owner is None:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        tool.claim({"system_identifier": str(system_id), "cluster": settings.cluster, "since": since}, str(data))
    elif str(owner.get("system_identifier")) != str(system_id):
        raise Failure(
            "foreign",
            f"{settings.prefix} belongs to cluster {owner.get('cluster')}, system identifier "
            f"{owner.get('system_identifier')}; what was restored is {system_id}",
        )


def archive(tool, data, timeline, end, settings):
    """Put a new timeline's history, and the segments that it has filled already, into the archive.

    Raises:
        Failure: ``differs`` if the archive has another history of this timeline.
    """
    known = {name for name in tool.segments() if wal.timeline(name) >= timeline}
    own = {path.name for path in ours(data, timeline, end, settings.segment_bytes)}
    strange = sorted(name for name in known if name not in own)
    if strange:
        raise Failure(
            "differs", f"the archive knows timeline {timeline} or later ones already: {', '.join(strange[:3])}"
        )
    for path in ours(data, timeline, end, settings.segment_bytes):
        tool.push_wal(path)


def ours(data, timeline, end, segment_bytes):
    """Files of a timeline that are complete, in the order to archive them: its history first."""
    folder = Path(data) / "pg_wal"
    history = folder / wal.history_name(timeline)
    last = wal.number_of(end, segment_bytes)
    segments = sorted(
        path
        for path in folder.iterdir()
        if wal.kind(path.name) == wal.SEGMENT
        and wal.timeline(path.name) == timeline
        and wal.number(path.name, segment_bytes) < last
    )
    return [history, *segments] if history.exists() else segments


def push(job, own=None):
    """Archive what a stopped member still keeps for it.

    Args:
        job: ``{settings, data}``.

    Returns:
        ``{pushed: names}``; nothing is pushed into another database's archive.

    Raises:
        Failure
    """
    own = own or tools.tool(load(job["settings"]))
    owner = own.owner() or {}
    if str(owner.get("system_identifier")) != str(local.system_id(job["data"])):
        return {"pushed": [], "foreign": True}
    folder = Path(job["data"]) / "pg_wal"
    pushed = []
    for ready in waiting(folder):
        name = ready.name.removesuffix(".ready")
        if (folder / name).exists():
            own.push_wal(folder / name)
            pushed.append(name)
        ready.rename(ready.with_suffix(".done"))
    return {"pushed": pushed}


def waiting(folder):
    """Marks of files that wait to be archived, histories first, then the oldest; as PostgreSQL's own archiver does."""
    status = Path(folder) / "archive_status"
    found = list(status.glob("*.ready")) if status.is_dir() else []
    return sorted(found, key=lambda path: (not path.name.endswith(".history.ready"), path.name))


JOBS = {"fetch": fetch, "recover": recover, "promote": promote, "push": push}
