"""A file system that runs full: one file takes all that is left, and goes again.

Only a file system that PostgreSQL has for itself: who fills the root file system breaks what has to heal it. The file
lies at the top of the file system, not in the data directory, which is copied. A timer removes it, and so does the next
boot, if the timer dies with the machine.

Source: tmpfiles.d(5), type ``r`` with ``!``: removed at boot only.
"""

import contextlib
import errno
import os
from pathlib import Path

from saltroni.faults import FaultError, healer

NEEDS = "a file system for PostgreSQL alone"
FILE = "saltroni-full"
#: What is filled in a moment; a larger disk is somebody's real one.
LARGEST_BYTES = 16 * 1024**3


def top(path):
    """The mount point of ``path``'s file system."""
    path = Path(path).resolve()
    while not path.is_mount():
        path = path.parent
    return path


def unable(path, shared_with=()):
    """Why the file system of ``path`` can't be filled, or None.

    Args:
        path: where PostgreSQL writes.
        shared_with: ``{what: path}`` of what must lie on another file system.
    """
    path = Path(path)
    if not path.is_dir():
        return f"there is no {path} on this node"
    mount = top(path)
    if mount.stat().st_dev == Path("/").stat().st_dev:
        return f"{path} lies on the root file system: it needs one of its own"
    for what, other in dict(shared_with).items():
        if Path(other).resolve().stat().st_dev == mount.stat().st_dev:
            return f"{path} and {what} ({other}) share the file system {mount}"
    if mount == path.resolve():
        return f"{path} is itself the top of its file system: the file would lie among PostgreSQL's own"
    strangers = others(mount, path)
    if strangers:
        return f"the file system {mount} is used by others too: {', '.join(strangers[:3])}"
    size = os.statvfs(mount)
    if size.f_blocks * size.f_frsize > LARGEST_BYTES:
        return f"the file system {mount} is larger than {LARGEST_BYTES // 1024**3} GiB: it is filled on small ones only"
    return None


def others(mount, path):
    """What else lies at the top of a file system, beside the way to ``path``."""
    first = path.resolve().relative_to(mount).parts[0]
    expected = {first, "lost+found", FILE}
    return sorted(entry.name for entry in mount.iterdir() if entry.name not in expected)


def full(path):
    """Whether our file is there."""
    path = Path(path)
    return path.exists() and (top(path) / FILE).exists()


def _guard(fault):
    return Path(f"/etc/tmpfiles.d/saltroni-{fault.replace('_', '-')}.conf")


def arm(fault, path, deadline_s):
    """Have the file removed after ``deadline_s`` seconds, or at the next boot; returns how, in words.

    Raises:
        FaultError: it lasts already, or nothing could be armed.
    """
    if full(path):
        raise FaultError(f"it lasts already: fault.heal {fault}")
    file, guard = top(path) / FILE, _guard(fault)
    guard.parent.mkdir(exist_ok=True)
    with guard.open("w", encoding="utf-8") as stream:
        stream.write(f"# Made by a drill, which takes it away again.\nr! {file}\nr! {guard}\n")
        stream.flush()
        os.fsync(stream.fileno())
    return healer.arm(fault, deadline_s, "rm", "-f", str(file), str(guard))


def fill(path):
    """Take all that is left for others than root; may be called again when something was freed."""
    file = top(path) / FILE
    with file.open("ab") as stream:
        while taken := _more(stream.fileno()):
            del taken
    return file


def _more(descriptor):
    """One piece, as large as possible; returns its bytes, 0 when nothing is left."""
    size = os.statvfs(descriptor)
    piece = size.f_bavail * size.f_frsize
    while piece >= size.f_frsize:
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, piece)
            return piece
        except OSError as err:
            if err.errno != errno.ENOSPC:
                raise FaultError(f"the file system can't be filled: {err}") from err
            piece //= 2
    return 0


def empty(fault, path):
    """Give the space back, and take timer and guard away."""
    if Path(path).exists():
        (top(path) / FILE).unlink(missing_ok=True)
    _guard(fault).unlink(missing_ok=True)
    healer.disarm(fault)
    return {"running": full(path)}


def sql(statement, timeout_s=10):
    """Run a statement as PostgreSQL's superuser over the socket; returns whether it was done."""
    with contextlib.suppress(FaultError):
        said = healer.run(
            "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--host=/var/run/postgresql", "--username=postgres",
            "--dbname=postgres", f"--command={statement}", check=False, timeout_s=timeout_s,
        )  # fmt: skip
        return bool(said.strip())
    return False
