"""The folders of a restore on a node, and how they change places. Each change can be done again after it broke off.

The data directory is moved within its own file system: nothing is copied. If WAL has a folder of its own that moves along,
and the link to it is set anew: data that are started with another's WAL are lost.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from saltroni import durable
from saltroni.backup import inplace


@dataclass(frozen=True)
class Place:
    """A data directory and its WAL's folder; ``wal`` is empty if it is inside."""

    data: str
    wal: str

    def exists(self):
        """Whether the data directory is there, and anything in it."""
        path = Path(self.data)
        return path.is_dir() and any(path.iterdir())

    def there(self):
        """Whether any part of it is."""
        return any(os.path.lexists(path) for path in (self.data, self.wal) if path)

    def remove(self):
        """Take it away."""
        for path in (self.data, self.wal):
            if path and os.path.lexists(path):
                shutil.rmtree(path)
                durable.sync(Path(path).parent)


def present(folders):
    """Where the member's data are.

    Args:
        folders: the pillar's ``folders``.
    """
    return Place(folders["data"], folders["wal"])


def staged(folders):
    """Where data are prepared."""
    return beside(folders, "restored")


def aside(folders, restore):
    """Where a restore keeps the old data."""
    return beside(folders, f"before-{restore}")


def undone(folders, restore):
    """Where the restored data are kept when a restore was undone."""
    return beside(folders, f"undone-{restore}")


def beside(folders, what):
    """A place beside the present one."""
    return Place(f"{folders['data']}.{what}", f"{folders['wal']}.{what}" if folders["wal"] else "")


def kept(folders):
    """Ids of the restores whose old or undone data are on this node: ``{id: [paths]}``."""
    found = {}
    for base in (folders["data"], folders["wal"]):
        if base:
            for kind in ("before", "undone"):
                for path in sorted(Path(base).parent.glob(f"{Path(base).name}.{kind}-*")):
                    found.setdefault(path.name.partition(f".{kind}-")[2], []).append(str(path))
    return found


def move(source, target):
    """Move a place; what is done already stays.

    Raises:
        FileExistsError: there is something at the target that isn't what was moved.
        OSError
    """
    if not os.path.lexists(source.data):
        return
    if source.wal:
        if os.path.lexists(source.wal):
            if os.path.lexists(target.wal):
                raise FileExistsError(f"{target.wal} is there already")
            Path(source.wal).rename(target.wal)
            durable.sync(Path(source.wal).parent)
        relink(source.data, target.wal)
    if os.path.lexists(target.data):
        raise FileExistsError(f"{target.data} is there already")
    Path(source.data).rename(target.data)
    durable.sync(Path(source.data).parent)


def relink(data, wal):
    """Have a data directory's ``pg_wal`` lead to ``wal``, if it is a link."""
    link, temporary = Path(data) / "pg_wal", Path(data) / "pg_wal.new"
    if not link.is_symlink() or str(link.readlink()) == wal:
        return
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(wal)
    if os.geteuid() == 0:
        owner = Path(data).stat()
        os.chown(temporary, owner.st_uid, owner.st_gid, follow_symlinks=False)
    temporary.rename(link)
    durable.sync(data)


def of(place, restore):
    """Whether the data at a place came out of this restore."""
    return inplace.marked(place.data).get("restore") == restore


def set_aside(folders, restore, keep=True):
    """Take the old data out of the way. What came later stays: this restore's own data, or a copy of them that broke off.

    Args:
        keep: False to remove them.
    """
    now, then = present(folders), aside(folders, restore)
    if of(now, restore) or os.path.lexists(then.data):
        return
    if not keep:
        now.remove()
    elif now.exists():
        move(now, then)
    elif os.path.lexists(now.data):
        Path(now.data).rmdir()
    if keep and now.wal and os.path.lexists(now.wal):
        # of data that were gone before: it may be all that is left of the last commits
        Path(now.wal).rename(then.wal)


def put_in_place(folders, restore):
    """Move what was prepared to where the member's data belong."""
    now, ready = present(folders), staged(folders)
    if of(now, restore):
        return
    if not of(ready, restore):
        raise FileNotFoundError(f"{ready.data} isn't what restore {restore} prepared")
    move(ready, now)


def put_back(folders, restore):
    """Bring the old data back, and keep what the restore put in their place.

    Returns:
        whether this member has data; where it has none they are copied from the leader.
    """
    now, then, after = present(folders), aside(folders, restore), undone(folders, restore)
    if of(now, restore):
        move(now, after)
    if then.there():
        # with the old data aside, these can only be a copy of the restored ones that broke off
        if os.path.lexists(now.data):
            shutil.rmtree(now.data)
        if now.wal and os.path.lexists(now.wal) and os.path.lexists(then.wal):
            shutil.rmtree(now.wal)
        move(then, now)
    return now.exists()


def given(path, user="postgres"):
    """A folder of ``user``'s own, made if it isn't there."""
    path = Path(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = pwd.getpwnam(user)
    os.chown(path, account.pw_uid, account.pw_gid)
    return path
