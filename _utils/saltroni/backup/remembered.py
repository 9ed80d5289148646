"""Small files in which the programs remember something from call to call."""

import contextlib
import json
import os
from pathlib import Path


def read(path):
    """What is remembered, {} for nothing or for a file that can't be read."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path, content):
    """Remember ``content``; readers see the old or the new, never a half.

    Raises:
        OSError
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(json.dumps(content, sort_keys=True) + "\n", encoding="utf-8")
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.chown(temporary, folder.st_uid, folder.st_gid)
        temporary.rename(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
