"""Which ids the store has, in a SQLite file beside it, so that a recorder needn't read all events to know.

It only repeats what the events' files say and never knows more than they do: it is written after them. Lost or damaged,
it is made anew from them.
"""

import contextlib
import sqlite3

FILE = "ids.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, read_to INTEGER NOT NULL);
"""


@contextlib.contextmanager
def opened(folder):
    """The :class:`Index` of a store's folder, whose lock is held.

    Raises:
        OSError: it can neither be used nor be made anew.
    """
    path = folder / FILE
    try:
        connection = _connected(path)
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
        try:
            connection = _connected(path)
        except sqlite3.DatabaseError as err:
            raise OSError(f"{path}: {err}") from err
    try:
        with contextlib.closing(connection):
            yield Index(connection)
    except sqlite3.DatabaseError as err:
        # it is made anew by the next one
        path.unlink(missing_ok=True)
        raise OSError(f"{path}: {err}") from err


def _connected(path):
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        # what a crash of the machine spoils is found out and made anew
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


class Index:
    """Ids that are recorded."""

    def __init__(self, connection):
        self._connection = connection

    def learn(self, path, identities):
        """Take in what stands in ``path`` and isn't known yet.

        Args:
            identities: function of a path and a byte from which on it gives ids.
        """
        size = path.stat().st_size
        row = self._connection.execute("SELECT read_to FROM files WHERE name = ?", (path.name,)).fetchone()
        begin = row[0] if row and row[0] <= size else 0
        if begin < size:
            self.add(path, size, identities(path, begin))

    def has(self, identities):
        """Those of ``identities`` that are recorded."""
        select = "SELECT 1 FROM ids WHERE id = ?"
        return {identity for identity in identities if self._connection.execute(select, (identity,)).fetchone()}

    def add(self, path, end, identities):
        """Note that ``path`` is known up to the byte ``end``, and ids as recorded."""
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR IGNORE INTO ids VALUES (?)", ((one,) for one in identities))
        self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (path.name, end))
        self._connection.execute("COMMIT")
