"""The restore proof as a whole: whether it may begin, the marker, the unit that does it, the verdict.

What is proven: the archive alone gives back a database that is sound, with the last row that was committed before. See
:mod:`saltroni.backup.trial` for the work itself.
"""

import os
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from saltroni.backup import choice, copy, marker, target, trial, unit
from saltroni.backup.extract import FORMATS
from saltroni.backup.failure import Failure

#: Not the name of the unit that a schedule starts (saltroni-proof): systemd runs no second one of a name.
UNIT, EXTRACT = "saltroni-proof-copy", "saltroni-extract-copy"
#: Tasks that wait for each processor, on the average of the last five minutes: above it a node has no time to spare for
#: what only a schedule asks for. A container shows its machine's.
MOST_LOAD = 4.0
LATEST = target.Target(target.LATEST)
#: How long the leader may take to archive the marker (seconds).
ARCHIVED_S = 180


class Refused(RuntimeError):
    """It may not begin here and now; :attr:`reasons` say why."""

    def __init__(self, reasons):
        self.reasons = list(reasons)
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True)
class Here:
    """This node, as far as it matters for a copy beside the cluster."""

    own: str
    leader: str | None
    members: list
    free_bytes: int
    #: None if it doesn't matter: somebody asked for it now.
    load: float | None
    processors: int
    #: What runs in the cluster, see :func:`saltroni.drill.busy.running`.
    running: dict

    def reasons(self, size, on_leader=False):
        """What speaks against a copy of a database of ``size`` bytes here. Pure."""
        found = [f"a {what} runs: {who}" for what, who in self.running.items() if who is not None]
        others = [name for name in self.members if name != self.leader]
        if self.own == self.leader and not on_leader:
            found.append(f"{self.own} leads: do it on {' or '.join(others) or 'another node'}")
        needed = copy.needed_bytes(size or 0)
        if self.free_bytes < needed:
            found.append(
                f"a copy needs {_gib(needed)} of free space, there are {_gib(self.free_bytes)}: choose another folder "
                "(saltroni:backup:proof_folder), or another node"
            )
        if self.load is not None and self.load > MOST_LOAD * self.processors:
            found.append(f"this node is busy: its load is {self.load:.1f} with {self.processors} processors")
        return found


def _gib(size):
    return f"{size / 2**30:.1f} GiB"


def folder(settings, unit_name=UNIT):
    """Where a copy is made."""
    return Path(settings.proof_folder or settings.state) / unit_name.removeprefix("saltroni-").removesuffix("-copy")


def here(model, settings, cluster, running, scheduled=False):
    """This node now.

    Args:
        cluster: :func:`saltroni.patroni.view.table`'s dict, or None.
        running: see :class:`Here`.
        scheduled: whether only a schedule asks for it, so that a busy node is a reason against it.
    """
    return Here(
        own=model["self"]["name"],
        leader=(cluster or {}).get("leader"),
        members=list(model["by_role"]["patroni"]),
        free_bytes=copy.free_bytes(folder(settings)),
        load=os.getloadavg()[1] if scheduled else None,
        processors=os.cpu_count() or 1,
        running=running,
    )


def _swept(name, place):
    """Nothing of an earlier one is left. Raises :class:`Refused` if that one isn't over."""
    try:
        unit.sweep(name, [place])
    except Failure as err:
        raise Refused([err.text]) from err


def whose(cluster):
    """Which member does what is to be done by one: the first replica that streams; None without one. Pure."""
    rows = (cluster or {}).get("members", {})
    fit = [name for name, row in sorted(rows.items()) if name != cluster["leader"] and row["state"] == "streaming"]
    return fit[0] if fit else None


def hidden(settings, wal_folder):
    """What a private server must not even see: the cluster's own data and socket."""
    return [settings.data_dir, wal_folder, settings.socket]


class Proof:
    """One proof.

    Args:
        model: the pillar's ``saltroni``.
        settings: a :class:`saltroni.backup.settings.Settings`.
        tool: its tool.
        settings_file: where they stand.
    """

    def __init__(self, model, settings, tool, settings_file):
        self.model, self.settings, self.tool, self.file = model, settings, tool, str(settings_file)
        self.id = str(uuid.uuid4())
        self._begun = time.monotonic()

    def run(self, asked, node, on_leader=False, now=None):
        """Do it.

        Args:
            asked: a :class:`saltroni.backup.target.Target`; :data:`LATEST` for the newest.
            node: a :class:`Here`.
            on_leader: whether it may be done on the leader.

        Returns:
            what the report is told: see :func:`told`.

        Raises:
            Refused: nothing was begun.
            Failure: the archive couldn't even be asked what it has: that is a failed proof, too.
        """
        place = folder(self.settings)
        _swept(UNIT, place)
        archive = choice.look(self.tool, self.settings.segment_bytes)
        found = choice.choose(asked, archive)
        reasons = node.reasons(found.backup.size, on_leader)
        if reasons:
            raise Refused(reasons)
        wanted = self._mark(node) if asked.kind == target.LATEST else None
        limit = self.settings.proof_timeout_s
        job = {
            "what": "prove", "settings": self.file, "folder": str(place), "backup": found.backup.id,
            "target": asked.row(), "timeline": found.timeline, "marker": wanted, "deadline_s": limit,
        }  # fmt: skip
        unit.start(
            UNIT,
            job,
            limit + unit.STOP_S,
            cleanup=[place],
            user=self.settings.user,
            hidden=hidden(self.settings, self.model["folders"]["wal"]),
        )
        result = unit.wait(UNIT, limit + 2 * unit.STOP_S)
        return told(self.settings.tool, found, asked, {**result, "id": self.id, "took_s": self.took_s()})

    def took_s(self):
        """Seconds since it began."""
        return round(time.monotonic() - self._begun, 1)

    def _mark(self, node):
        if node.leader is None:
            raise Failure("database", "nobody leads, so no row can be written that must come back")
        marker.write(self.model, node.leader, self.id, "a restore proof", ARCHIVED_S)
        return self.id

    def failed(self, err, asked):
        """What the report is told of a proof that couldn't be carried through."""
        return told(
            self.settings.tool, None, asked,
            {"id": self.id, "verdict": trial.FAILED, "reasons": [str(err)], "failure": err.kind, "took_s": self.took_s()},
        )  # fmt: skip


def extract(model, settings, tool, settings_file, asked, node, wanted, path):
    """Write what a database or some tables were at a moment into a file.

    Args:
        model: the pillar's ``saltroni``.
        settings, tool, settings_file: see :class:`Proof`.
        asked: the moment.
        node: a :class:`Here`.
        wanted: ``{database, tables, format}``, see :func:`saltroni.backup.extract.extract`.
        path: the file, which must not be there yet.

    Returns:
        ``{path, bytes, database, tables, target, parts, took_s}``

    Raises:
        Refused, Failure: the file is gone then.
    """
    if wanted["format"] not in FORMATS:
        raise Refused([f"format is {wanted['format']!r}: one of {', '.join(FORMATS)}"])
    path, place = Path(path), folder(settings, EXTRACT)
    if not path.is_absolute() or not path.parent.is_dir():
        raise Refused([f"path is {path}: say a whole one, in a folder that is there"])
    _swept(EXTRACT, place)
    found = choice.choose(asked, choice.look(tool, settings.segment_bytes))
    # a copy beside the leader is a burden, but no danger: what was deleted may be wanted at once
    reasons = node.reasons(found.backup.size, on_leader=True)
    if reasons:
        raise Refused(reasons)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError as err:
        raise Refused([f"{path} is there already"]) from err
    limit = settings.restore_timeout_s
    job = {
        "what": "extract", "settings": str(settings_file), "folder": str(place), "backup": found.backup.id,
        "target": asked.row(), "timeline": found.timeline, "deadline_s": limit, **wanted,
    }  # fmt: skip
    try:
        unit.start(
            EXTRACT, job, limit + unit.STOP_S, cleanup=[place], output=path, user=settings.user,
            hidden=hidden(settings, model["folders"]["wal"]),
        )  # fmt: skip
        result = unit.wait(EXTRACT, limit + 2 * unit.STOP_S)
    except BaseException:
        unit.stop(EXTRACT)
        path.unlink(missing_ok=True)
        raise
    return {"path": str(path), "bytes": path.stat().st_size, "target": asked.words(), **result}


def told(tool, found, asked, result):
    """What the report is told, see :mod:`saltroni.report.backups`. Pure."""
    backup = found.backup if found else None
    return {
        "tool": tool,
        "backup": backup.id if backup else None,
        "kind": backup.kind if backup else None,
        "bytes": backup.size if backup else None,
        "target": asked.words(),
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "recovery_s": None,
        "loss_s": None,
        **result,
    }
