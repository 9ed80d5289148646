"""What the programs on a PostgreSQL node know of backups: ``/etc/saltroni/backup.json``. No secret is in it."""

import json
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

FILE = "/etc/saltroni/backup.json"
TOOLS = ("walg", "pgbackrest")


class SettingsError(RuntimeError):
    """The settings can't be read or lack something; the text says which."""


@dataclass(frozen=True)
class Settings:
    """Keys of the file. Those without a default must be there; keys that aren't known here are left alone."""

    #: The cluster's name: Patroni's scope, pgBackRest's stanza.
    cluster: str
    #: This node's name.
    member: str
    #: ``walg`` or ``pgbackrest``.
    tool: str
    #: PostgreSQL's major version.
    major: int
    #: This member's data directory (the pillar's ``folders:data``).
    data_dir: str
    #: Where the archive is, for people and for the owner's check: ``s3://<bucket>/<cluster>/<major>`` or
    #: ``file://<folder>/<cluster>/<major>``. The tool's own file of settings must say the same.
    prefix: str
    #: PostgreSQL's port here, and the folder of its socket.
    port: int = 5432
    socket: str = "/var/run/postgresql"
    #: The members: name -> ``{"address": …}``, this node among them; and where Patroni answers on each.
    members: dict = field(default_factory=dict)
    patroni_port: int = 8008
    #: PEM files with which Patroni is asked: this node's certificate and key, and the cluster's CA.
    certificate: str = "/etc/saltroni/pki/patroni.crt"
    key: str = "/etc/saltroni/pki/patroni.key"
    ca: str = "/etc/saltroni/pki/ca.crt"
    #: Programs and their own settings.
    walg: str = "/usr/local/bin/wal-g"
    walg_config: str = "/etc/saltroni/walg.yaml"
    pgbackrest: str = "/usr/bin/pgbackrest"
    pgbackrest_config: str = "/etc/pgbackrest/pgbackrest.conf"
    #: PostgreSQL's programs; Debian's place by default.
    bin_dir: str = ""
    #: The script that ``restore_command`` calls (``fetch [--strict] %f %p``).
    fetch_script: str = "/usr/local/lib/saltroni/fetch"
    #: What is remembered between calls: ``archive.json``, ``owner.json``. The folder belongs to postgres, mode 0700.
    state_folder: str = "/var/lib/saltroni-backup"
    #: Whose rights the tool runs with when root calls.
    user: str = "postgres"
    #: Whether what is stored is encrypted.
    encrypted: bool = True
    #: Deadlines of one call (seconds): push or fetch of one file, a list, a base backup, a restore, a verification.
    push_timeout_s: float = 60
    fetch_timeout_s: float = 60
    list_timeout_s: float = 60
    #: The same for a member that follows a leader: a promotion waits for it.
    follow_timeout_s: float = 5
    backup_timeout_s: float = 6 * 3600
    restore_timeout_s: float = 6 * 3600
    verify_timeout_s: float = 1800
    #: A restore proof with all its parts, and where its copy is made: in the state folder without it. Needs 1.2 times the
    #: database.
    proof_timeout_s: float = 4 * 3600
    proof_folder: str = ""
    #: How long a base backup waits until the leader has archived its last segment (seconds).
    archived_timeout_s: float = 300
    #: Age of the oldest segment that waits at which health warns (seconds).
    warn_unarchived_s: float = 120
    #: How long the disk's space may last at the present rate of WAL before health warns (seconds).
    warn_disk_left_s: float = 4 * 3600
    #: A full backup when the latest full one is older than this (days), else a delta.
    full_every_days: float = 7
    #: At least so many full backups are kept, and whatever is younger (days).
    keep_full: int = 2
    keep_days: float = 14
    #: ``wal_segment_size`` of the cluster (bytes).
    segment_bytes: int = 16 * 1024 * 1024

    @property
    def wal(self):
        """The folder of this member's WAL, by the data directory's own link."""
        return Path(self.data_dir) / "pg_wal"

    @property
    def programs(self):
        """The folder of PostgreSQL's programs."""
        return Path(self.bin_dir or f"/usr/lib/postgresql/{self.major}/bin")

    @property
    def state(self):
        """The folder of what is remembered."""
        return Path(self.state_folder)


def from_dict(told, where="the settings"):
    """Settings from a dict.

    Raises:
        SettingsError: something is missing or of the wrong kind.
    """
    if not isinstance(told, dict):
        raise SettingsError(f"{where} is no JSON object: state.apply on this node writes it")
    missing = [one.name for one in fields(Settings) if one.default is MISSING and one.default_factory is MISSING]
    missing = [name for name in missing if told.get(name) in (None, "")]
    if missing:
        raise SettingsError(f"{where} lacks {', '.join(missing)}: state.apply on this node writes it")
    if told["tool"] not in TOOLS:
        raise SettingsError(f"{where}: tool is {told['tool']!r}, not one of {', '.join(TOOLS)}")
    known = {one.name for one in fields(Settings)}
    return Settings(**{name: value for name, value in told.items() if name in known})


def load(path=FILE):
    """Settings of this node.

    Raises:
        SettingsError: the file can't be read, or lacks something.
    """
    try:
        return from_dict(json.loads(Path(path).read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as err:
        raise SettingsError(f"{path} can't be read ({err}): state.apply on this node writes it") from err
