"""Which file system a path is on."""

import re
from pathlib import Path

MOUNTS = "/proc/self/mountinfo"


def points(text):
    """Mount points in ``mountinfo``. Pure. Source: proc(5); blanks and the like stand there as octal numbers."""
    return {re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]) for line in text.splitlines()}


def of(path, mountinfo=MOUNTS):
    """The mount point that ``path`` is below, whether or not the path exists yet."""
    known = points(Path(mountinfo).read_text(encoding="utf-8"))
    path = Path(path).resolve()
    return next((str(place) for place in (path, *path.parents) if str(place) in known), "/")
