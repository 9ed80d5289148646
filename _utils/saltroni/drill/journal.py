"""What a drill was told, on disk: JSON lines that survive the process that wrote them.

Lines are gathered and made durable several times a second, by a thread, so that writers don't wait for the disk.
"""

import json
import os
import threading
from collections import deque
from pathlib import Path

FOLDER = "/var/lib/saltroni/drills"
SYNC_EVERY_S = 0.05


class Journal:
    """Lines appended to one file. A context manager.

    Args:
        folder: the drill's folder; it is made.
        name: the file's name.
    """

    def __init__(self, folder, name="writes.jsonl"):
        self.path = Path(folder) / name
        self._waiting = deque()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="drill journal", daemon=True)
        self._file = None

    def __enter__(self):
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self.path.open("a", encoding="utf-8")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(timeout=10)
        self._write()
        self._file.close()

    def add(self, line):
        """Append ``line`` (JSON-able)."""
        self._waiting.append(line)

    def _work(self):
        while not self._ended.wait(SYNC_EVERY_S):
            self._write()

    def _write(self):
        lines = []
        while self._waiting:
            lines.append(json.dumps(self._waiting.popleft(), separators=(",", ":")) + "\n")
        if lines:
            self._file.writelines(lines)
            self._file.flush()
            os.fsync(self._file.fileno())


def keep(folder, name, result):
    """Write ``result`` as one JSON file, whole or not at all."""
    path = Path(folder) / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as out:
        json.dump(result, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(path)
