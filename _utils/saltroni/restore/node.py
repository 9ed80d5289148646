"""What one node does in a whole-cluster restore. Called by the module ``patroni_restore``, as root, under Salt.

Everything can be called again: what is done already is left, what broke off is finished.
"""

import dataclasses
import shutil
from pathlib import Path

from saltroni import wait
from saltroni.backup import choice, copy, inplace, private, settings, target, tools, unit
from saltroni.backup.failure import Failure
from saltroni.lineage import hold as lineage
from saltroni.patroni import member, rest
from saltroni.restore import accounts, dcs, hold, places

UNIT = "saltroni-restore"
#: A lease of a leader that died ends within its ``ttl``; that of one that stopped in order at once (seconds beside it).
LEASE_S = 30


class Node:
    """This node.

    Args:
        model: the pillar's ``saltroni``.
        source: a folder with the files of another cluster's archive, see :func:`source_file`; None for our own.
        told: this node's :class:`saltroni.backup.settings.Settings`; for tests.
    """

    def __init__(self, model, source=None, told=None):
        self.model = model
        self.folders = model["folders"]
        self.settings = told or settings.load()
        self.source = source_file(source) if source else settings.FILE

    # what there is

    def look(self):
        """What is here: ``{data, control, running, held, kept, staged, free_bytes, wal_free_bytes, data_bytes, state}``."""
        now = places.present(self.folders)
        return {
            "exists": now.exists(),
            "control": self._control(now.data) if now.exists() else None,
            "running": hold.running(now.data),
            "held": hold.held(),
            "kept": places.kept(self.folders),
            "staged": inplace.marked(places.staged(self.folders).data),
            "mark": inplace.marked(now.data),
            "free_bytes": copy.free_bytes(now.data),
            "wal_free_bytes": copy.free_bytes(now.wal) if now.wal else None,
            "data_bytes": _size(now.data),
            "busy": unit.active(UNIT),
        }

    def _control(self, data):
        try:
            found = private.controldata(self.settings.programs, data, user=self.settings.user)
        except Failure as err:
            return {"error": str(err)}
        return {
            "state": found.state, "timeline": found.timeline, "system_id": str(found.system_id), "end": list(found.end),
        }  # fmt: skip

    def survey(self, asked, after=None):
        """What the archive has for a target.

        Args:
            asked: a :class:`saltroni.backup.target.Target`.
            after: see :func:`saltroni.backup.choice.choose`.

        Returns:
            ``{tool, prefix, owner, windows, backup, timeline, next_timeline, until, reasons}``; with reasons there is no
            backup.

        Raises:
            Failure: it can't be asked.
        """
        source = settings.load(self.source)
        tool = tools.tool(source)
        archive = choice.look(tool, source.segment_bytes)
        told = {
            "tool": source.tool,
            "prefix": source.prefix,
            "owner": tool.owner(),
            "own_owner": tools.tool(self.settings).owner(),
            "highest": archive.highest,
            "windows": [one.row() for one in archive.windows()],
            "reasons": [],
        }
        try:
            told |= choice.choose(asked, archive, after).row()
        except Failure as err:
            told["reasons"].append(str(err))
        return told

    # before anything is stopped

    def fetch(self, restore, backup):
        """Fetch the base backup beside the present data. Returns what the mark says."""
        return self._work("fetch", restore, backup=backup)

    def recover(self, restore, backup, asked, timeline):
        """Replay up to the target, and stop there."""
        return self._work("recover", restore, backup=backup, target=asked, timeline=timeline)

    # the cluster is down

    def hold(self, restore):
        """Keep Patroni from starting here from now on."""
        hold.hold(restore)
        return {"held": True}

    def stop(self, restore):
        """Stop PostgreSQL in order, and keep it from coming back. Returns what the data say of themselves."""
        hold.hold(restore)
        now = places.present(self.folders)
        hold.stop(now.data, self.settings.programs)
        return {"stopped": True, "control": self._control(now.data) if now.exists() else None}

    def push(self, restore):
        """Archive what the stopped member kept for it."""
        now = places.present(self.folders)
        if not now.exists() or places.of(now, restore):
            return {"pushed": []}
        inplace_job = {"what": "push", "settings": settings.FILE, "data": now.data, "restore": restore}
        return self._unit(inplace_job, self.settings.backup_timeout_s)

    def promote(self, restore, backup, asked, timeline):
        """Make what was recovered a leader's, on a new timeline that the archive knows."""
        now = places.present(self.folders)
        if places.of(now, restore):
            return inplace.marked(now.data)
        sql = accounts.statements(self.model)
        return self._work("promote", restore, backup=backup, target=asked, timeline=timeline, accounts=sql)

    def lead_again(self, restore):
        """Give the old data, which are in place again, a timeline later than all that the archive knows.

        Without it they can't be recovered any more: PostgreSQL would find the restored timeline in the archive and take it
        for its own future (``requested timeline is not a child of this server's history``).
        """
        now = places.present(self.folders)
        job = {
            "what": "promote", "restore": f"back-{restore}", "settings": settings.FILE, "source": settings.FILE,
            "folder": str(self._folder(f"back-{restore}")), "data": now.data, "wal": "", "backup": None,
            "target": target.Target(target.LATEST).row(), "timeline": "current", "deadline_s": self.settings.restore_timeout_s,
        }  # fmt: skip
        return self._unit(job, self.settings.restore_timeout_s)

    def swap(self, restore, keep=True, leads=False):
        """Set the old data aside; on the node that will lead, put the restored ones in their place."""
        self._refuse_running()
        places.set_aside(self.folders, restore, keep)
        if leads:
            places.put_in_place(self.folders, restore)
            # whatever was wrong with the data that were here, these are the cluster's
            lineage.release()
        return {"kept": places.kept(self.folders).get(restore, [])}

    def forget_leader(self, system_id):
        """Forget in etcd who led and how far it was."""
        ttl_s = self.model["timings"]["ttl_s"]
        dcs.forget(self.model, system_id, ttl_s + LEASE_S)
        return {"forgotten": True}

    def start(self, deadline_s):
        """Let Patroni start, start it, and wait until this node is a whole member.

        Raises:
            DeadlineError
        """
        hold.release()
        hold.start()
        shutil.rmtree(self._folder(), ignore_errors=True)
        whole, sentence, waited_s = member.wait_whole(self.model, deadline_s)
        if not whole:
            raise wait.DeadlineError(f"{self.model['self']['name']}: {sentence}")
        status = rest.Member(self.model, self.model["self"]["name"]).status()
        return {"standing": sentence, "waited_s": waited_s, "timeline": status.get("timeline")}

    # back, and the end

    def drop(self, restore):
        """Remove what was prepared and isn't in place."""
        unit.stop(UNIT)
        ready = places.staged(self.folders)
        if ready.there():
            ready.remove()
        shutil.rmtree(self._folder(), ignore_errors=True)
        return {"dropped": restore}

    def put_back(self, restore):
        """Bring the old data back. Returns whether this node has data now, and what they say of themselves."""
        self._refuse_running()
        has = places.put_back(self.folders, restore)
        return {"has_data": has, "control": self._control(places.present(self.folders).data) if has else None}

    def forget(self, restore):
        """Remove what a restore kept. Returns the folders that are gone."""
        gone = []
        for place in (places.aside(self.folders, restore), places.undone(self.folders, restore)):
            gone += [path for path in (place.data, place.wal) if path and Path(path).exists()]
            place.remove()
        return {"removed": gone}

    def _refuse_running(self):
        runs = hold.running(self.folders["data"])
        if runs["patroni"] or runs["postgresql"]:
            raise Failure("database", f"PostgreSQL or Patroni runs on {self.model['self']['name']}: it must be stopped")

    def _folder(self, restore=""):
        """A folder of one restore's own: files that a tool fetches in advance are known by their names only."""
        return self.settings.state / "restore" / restore

    def _work(self, what, restore, **more):
        ready = places.staged(self.folders)
        job = {
            "what": what, "restore": restore, "settings": settings.FILE, "source": self.source,
            "folder": str(self._folder(restore)), "data": ready.data, "wal": ready.wal,
            "deadline_s": self.settings.restore_timeout_s, **more,
        }  # fmt: skip
        return self._unit(job, self.settings.restore_timeout_s)

    def _unit(self, job, deadline_s):
        """Do a job, or wait for the one that goes on already."""
        unit.start(UNIT, job, deadline_s + unit.STOP_S, nice=0, user=self.settings.user)
        return unit.wait(UNIT, deadline_s + 2 * unit.STOP_S)


def source_file(folder):
    """The settings of another cluster's archive, whose files are all in one folder.

    They are that cluster's own: ``backup.json``, ``walg.yaml`` or ``pgbackrest.conf``, and the key that ``walg.yaml`` names.
    A copy of ``backup.json`` is written beside them that names the others where they are.

    Returns:
        the copy's path.

    Raises:
        settings.SettingsError
    """
    folder = Path(folder)
    found = settings.load(folder / "backup.json")
    here = settings.load()
    made = dataclasses.replace(
        found, walg_config=str(folder / "walg.yaml"), pgbackrest_config=str(folder / "pgbackrest.conf"),
        data_dir=here.data_dir, state_folder=here.state_folder, member=here.member, major=here.major, bin_dir=here.bin_dir,
        port=here.port, socket=here.socket,
    )  # fmt: skip
    if found.major != here.major:
        raise settings.SettingsError(
            f"{folder}/backup.json is of PostgreSQL {found.major}, this cluster has {here.major}: they must be the same"
        )
    from saltroni.backup.work import keep

    path = folder / "source.json"
    keep(path, dataclasses.asdict(made))
    path.chmod(0o640)
    shutil.chown(path, "root", here.user)
    return str(path)


def _size(data):
    total = 0
    for path in (Path(data), Path(data) / "pg_wal"):
        for found in path.rglob("*") if path.is_dir() else ():
            try:
                if found.is_file() and not found.is_symlink():
                    total += found.stat().st_size
            except OSError:
                continue  # removed meanwhile
    return total
