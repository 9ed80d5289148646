"""How a copy of the database is recovered by itself, apart from the cluster: settings and files.

Nothing of a private server may reach the real cluster or the real archive. Its settings stand on its command line, where
nothing that came with the base backup can override them (PostgreSQL's documentation, *Setting Parameters*, "Parameter
Interaction via the Configuration File": a value of the command line wins over ``postgresql.conf`` and
``postgresql.auto.conf``).
"""

import re
from pathlib import Path

from saltroni.backup import target as targets

#: Files of a data directory that say what it was to its former owner.
LEFT_OVER = (
    "standby.signal",
    "recovery.signal",
    "postmaster.pid",
    "postmaster.opts",
    "recovery.conf",
    "saltroni.forked",
)
PORT = 5999
#: What a private server is, whatever the cluster's own settings say.
PRIVATE = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "ssl": "off",
    # its promotion would push the new timeline's history among the cluster's own
    "archive_mode": "off",
    "archive_command": "",
    "archive_library": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    # a replica that may be asked needs all that the leader's settings ever were; nobody asks this one before it is done
    "hot_standby": "off",
    # no jobs, no subscriptions that take another's slot: there is no worker that could do them. Extensions' own, too.
    "max_worker_processes": "0",
    "max_logical_replication_workers": "0",
    # data of a former leader have its members' slots
    "max_replication_slots": "100",
    "autovacuum": "off",
    # it reads ahead into the next segment: a damaged one would keep a moment before it from being restored
    "recovery_prefetch": "off",
    "huge_pages": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m ",
    "log_min_messages": "warning",
    "lc_messages": "C",
    "event_triggers": "off",
}
#: Not in every version: left out below it.
SINCE = {"archive_library": 15, "event_triggers": 17}
#: Only for a copy that is thrown away.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
#: For data that somebody will live on.
CAREFUL = {"fsync": "on"}
QUOTED = re.compile(r"^\s*shared_preload_libraries\s*=?\s*'?(?P<value>[^'#]*)'?", re.MULTILINE)


def preloaded(*texts):
    """``shared_preload_libraries`` by the last of several files' texts that says it. Pure.

    What an extension wrote into the log can be replayed only with it.
    """
    found = [match["value"].strip() for text in texts for match in QUOTED.finditer(text)]
    return found[-1] if found else ""


def settings(
    major, control, target, restore_command, socket, hba, careless, action="promote", timeline=None, libraries=""
):
    """All settings of a private server's command line. Pure.

    Args:
        major: PostgreSQL's major version.
        control: the :class:`saltroni.backup.control.Control` of the data: replaying needs as much as it says.
        target: a :class:`saltroni.backup.target.Target`.
        restore_command: fetches from the archive, and stops the server rather than call a failure the end of the log.
        socket: the folder of its socket.
        hba: a file that lets in whoever reaches the socket.
        careless: the copy is thrown away afterwards.
        action: see :func:`saltroni.backup.target.settings`.
        timeline: the same.
        libraries: see :func:`preloaded`.
    """
    made = {name: value for name, value in PRIVATE.items() if SINCE.get(name, 0) <= major}
    made |= CARELESS if careless else CAREFUL
    made |= control.settings
    made |= {"unix_socket_directories": str(socket), "hba_file": str(hba), "shared_preload_libraries": libraries}
    made |= targets.settings(target, timeline, action) | {"restore_command": restore_command}
    return made


def prepare(folder, signal=True):
    """Make data that recover from the archive by themselves, and nothing else.

    Args:
        folder: the data directory.
        signal: False for data that recover from a crash only.

    Raises:
        OSError
    """
    folder = Path(folder)
    for name in LEFT_OVER:
        (folder / name).unlink(missing_ok=True)
    if signal:
        (folder / "recovery.signal").touch(mode=0o600)


def texts(folder):
    """What the files of settings in a data directory say, the weakest first; a file that isn't there says nothing."""
    names = ("postgresql.base.conf", "postgresql.conf", "postgresql.auto.conf")
    return [
        path.read_text(encoding="utf-8", errors="replace")
        for path in (Path(folder) / n for n in names)
        if path.exists()
    ]
