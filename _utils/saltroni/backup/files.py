"""Files that come out of an archive: what they must be, and the folders that they go into."""

import contextlib
import os
import pwd
import re
import shutil
from pathlib import Path

from saltroni.backup import run, wal
from saltroni.backup.failure import Failure


def accept(settings, name, path):
    """Refuse a fetched file that isn't what its name says.

    Raises:
        Failure: ``corrupt``.
        OSError
    """
    kind = wal.kind(name)
    if kind in (wal.SEGMENT, wal.PARTIAL):
        wrong = wal.check_file(path, name, settings.segment_bytes)
    elif kind == wal.HISTORY:
        wrong = _wrong_history(name, path.read_text(encoding="utf-8"))
    else:
        wrong = None if path.stat().st_size else "it is empty"
    _refuse(name, wrong)


def history(name, text):
    """A history file's text, if it is one of the timeline that its name says.

    Raises:
        Failure: ``corrupt``.
    """
    _refuse(name, _wrong_history(name, text))
    return text


def _wrong_history(name, text):
    try:
        wal.line(wal.timeline(name), text)
    except ValueError as err:
        return str(err)
    return None if text else "it is empty"


def _refuse(name, wrong):
    if wrong:
        raise Failure("corrupt", f"{name} in the archive is damaged: {wrong}")


@contextlib.contextmanager
def arriving(settings, name, target):
    """Where a file of the archive is fetched to: it becomes ``target`` after the block, whole and right, or not at all.

    Raises:
        Failure: ``corrupt``, or it can't be written.
    """
    target = Path(target)
    partial = target.with_name(f"{target.name}.saltroni")
    gone(partial)
    try:
        yield partial
        accept(settings, name, partial)
        partial.rename(target)
    except OSError as err:
        raise Failure("other", f"fetching {name}: {err}") from err
    finally:
        gone(partial)


def same_device(one, other):
    """Whether two folders are on one file system; one that isn't there yet is where its parent is."""
    return _device(Path(one)) == _device(Path(other))


def _device(path):
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.stat().st_dev


def mount_of(path, mountinfo="/proc/self/mountinfo"):
    """The mount point that a path is below, whether or not the path exists. Source: proc(5)."""
    lines = Path(mountinfo).read_text(encoding="utf-8").splitlines()
    known = {re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]) for line in lines}
    path = Path(path).resolve()
    return next((str(place) for place in (path, *path.parents) if str(place) in known), "/")


def empty(folder, user):
    """An empty folder that belongs to ``user``, made if it isn't there.

    Raises:
        Failure: something is in it.
    """
    folder = Path(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Failure("other", f"{folder} isn't empty: nothing is restored into it")
        given(folder, user)
    except OSError as err:
        raise Failure("other", f"{folder} can't be prepared: {err}") from err
    return folder


def finish(folder, wal_folder, user):
    """Give a restored folder what PostgreSQL wants to find: rights, ``pg_wal``, maybe as a link.

    Raises:
        Failure
    """
    try:
        folder.chmod(0o700)
        place = folder / "pg_wal"
        if wal_folder is not None:
            wal_folder = empty(wal_folder, user)
            if place.is_symlink():
                place.unlink()
            elif place.exists():
                shutil.rmtree(place)
            place.symlink_to(wal_folder)
            given(place, user)
        for made in (place, place / "archive_status"):
            made.mkdir(mode=0o700, exist_ok=True)
            given(made, user)
    except OSError as err:
        raise Failure("other", f"{folder} can't be finished: {err}") from err


def synced(folder, timeout_s):
    """Wait until everything on a folder's file system is on its disk.

    Raises:
        Failure
    """
    done = run.run(["sync", "--file-system", str(folder)], timeout_s)
    if done.code != 0:
        raise Failure("other", f"{folder} can't be written to its disk: {run.short(done.text)}")


def given(path, user):
    """Give a file, or a link itself, to ``user`` if root calls."""
    if os.geteuid() == 0:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def private(path, text, user):
    """Write a file that nobody but ``user`` may read, whatever was there."""
    gone(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as out:
        given(path, user)
        out.write(text)


def gone(path):
    """Remove a file that may not be there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
