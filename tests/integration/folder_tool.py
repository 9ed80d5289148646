"""A backup tool for tests: the archive is a folder, base backups are made by pg_basebackup.

As a program it is :mod:`saltroni.backup.work` with this tool in place of the real ones.
"""

import json
import shutil
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "_utils"))

from saltroni.backup import __main__, copy, files, tools, wal, work
from saltroni.backup.failure import Failure


class Folder:
    """See :class:`saltroni.backup.tools.Tool`; ``<prefix>/wal`` and ``<prefix>/base/<id>``, and their descriptions."""

    def __init__(self, settings):
        self._settings = settings
        self.root = Path(settings.prefix.removeprefix("file://"))
        for name in ("wal", "base"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def push_wal(self, path):
        target = self.root / "wal" / Path(path).name
        if target.exists() and target.read_bytes() != Path(path).read_bytes():
            raise Failure("differs", target.name)
        shutil.copyfile(path, target)

    def fetch_wal(self, name, target, prefetch=None):
        if (self.root / "broken").exists():
            raise Failure("unreachable", "the storage is away")
        source = self.root / "wal" / name
        if not source.exists():
            raise Failure("missing", name)
        shutil.copyfile(source, target)
        files.accept(self._settings, name, Path(target))

    def add(self, backup, folder):
        """Put a base backup into the archive."""
        shutil.copytree(folder, self.root / "base" / backup.id, symlinks=True)
        row = {**asdict(backup), "started": backup.started.isoformat(), "finished": backup.finished.isoformat()}
        (self.root / "base" / f"{backup.id}.json").write_text(json.dumps(row), encoding="utf-8")

    def list(self):
        rows = [json.loads(path.read_text(encoding="utf-8")) for path in (self.root / "base").glob("*.json")]
        for row in rows:
            row["started"], row["finished"] = (datetime.fromisoformat(row[name]) for name in ("started", "finished"))
        return sorted((tools.Backup(**row) for row in rows), key=lambda one: one.finished)

    def restore(self, backup_id, folder, wal_folder=None):
        if any(Path(folder).iterdir()) if Path(folder).exists() else False:
            raise Failure("settings", f"{folder} isn't empty")
        shutil.copytree(self.root / "base" / backup_id, folder, dirs_exist_ok=True, symlinks=True)
        files.finish(Path(folder), wal_folder, self._settings.user)

    def segments(self):
        return {
            path.name: datetime.fromtimestamp(path.stat().st_mtime).astimezone()
            for path in (self.root / "wal").iterdir()
            if wal.kind(path.name)
        }

    def history(self, timeline):
        return (self.root / "wal" / wal.history_name(timeline)).read_text(encoding="utf-8")

    def owner(self):
        path = self.root / "owner.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def claim(self, owner, data_dir=None):
        (self.root / "owner.json").write_text(json.dumps(owner), encoding="utf-8")


if __name__ == "__main__":
    tools.tool = Folder
    copy.FETCH = (sys.executable, "-B", __file__)
    sys.exit((__main__.main if sys.argv[1].startswith("--") else work.main)(sys.argv[1:]))
