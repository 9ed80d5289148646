"""The page of settings, from the schema: ``make docs`` writes it to ``docs/settings.md``."""

import sys

from saltroni.pillar import schema, timings

HEAD = """# Settings

What `pillar/cluster.sls` may say below `saltroni:`. Whatever is left out has the default; whatever isn't listed here is
refused, and so is every combination that the rules at the end forbid. A refused pillar changes nothing. Defaults of
`timings` and `haproxy` are those of the preset `default`; the others: [presets](presets.md).

| Setting | Type | Default | What it is |
|---|---|---|---|
"""

RULES = f"""
## Rules between settings

- An address belongs to one node; `root` and `localhost` are no names for nodes.
- The number of nodes with role `etcd` is odd. Exactly one node has role `master`.
- `loop_wait_s + 2 x retry_timeout_s <= ttl_s`: otherwise Patroni changes them and only logs it.
- `inter + fall x (timeout_check + fastinter) + {timings.ENDED_MS / 1000:g} s < ttl - loop_wait`: HAProxy lets go of a frozen
  leader before another one is promoted (docs/failover-model.md).
- `shared_buffers + max_connections x work_mem + autovacuum_max_workers x maintenance_work_mem` fits into the memory of
  every node with role `patroni`; a node can't claim more memory than it has. Memory settings that you leave out are
  computed from the smallest of these nodes.
- With `replication: async`, `primary_start_timeout_s: 0` means 30: a replica may lack the last rows, so the crashed
  leader gets time to recover.
- Parameters that Saltroni or Patroni sets itself (TLS, addresses, password encryption, replication) can't be overridden.
- `wal_dir` is neither `/var/lib/postgresql` nor inside a member's data directory.
- With the lease guard on: `loop_wait_s + retry_timeout_s + 6 <= ttl_s`, else it would stop a leader that only waits for
  etcd; `guard:for_s` is at least twice `guard:connect_timeout_s`.
- At most one node has role `s3`, with at least 512 MiB; it is the storage then, and `backup:storage:endpoint` stays empty.
- With backups on: kind `s3` needs an endpoint or a node with role `s3`, kind `folder` needs a folder that isn't PostgreSQL's
  own; `walg:source` is said, and for a URL `walg:sha256`; the parameters of PostgreSQL that archive can't be overridden.
- Certificates are renewed before they end, and not on every run: `renew_days < days`.
"""


def _kind(part):
    if "enum" in part:
        return " / ".join(str(choice) for choice in part["enum"])
    if part.get("type") == "integer":
        return f"{part['minimum']} to {part['maximum']}" if "minimum" in part else "number"
    if part.get("type") == "array":
        inner = part["items"]
        return "list of " + (inner.get("format") or _kind(inner))
    return str(part.get("format") or part.get("type"))


def _default(part):
    if "default" not in part:
        return "required"
    return f"`{part['default']}`" if part["default"] != "" else ""


def rows(part, path=""):
    """One row for each setting below ``part``."""
    for name, inner in part.get("properties", {}).items():
        here = f"{path}:{name}".strip(":")
        if inner.get("properties"):
            yield from rows(inner, here)
            continue
        yield f"| `{here}` | {_kind(inner)} | {_default(inner)} | {inner.get('description', '')} |"
        extra = inner.get("additionalProperties")
        if isinstance(extra, dict) and extra.get("properties"):
            yield from rows(extra, f"{here}:NAME")


def page():
    """The whole page."""
    return HEAD + "\n".join(rows(schema.SCHEMA)) + "\n" + RULES


if __name__ == "__main__":
    sys.stdout.write(page())
