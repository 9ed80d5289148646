"""One database or some tables as they were at a moment, as ``pg_dump`` writes them. The cluster isn't touched.

Source: PostgreSQL's documentation, *pg_dump*: a table's name is a pattern there, so the names that were found in the catalog are
given in quotes, with their schemas.
"""

import subprocess
import sys
import time

from saltroni.backup import target
from saltroni.backup.copy import Copy
from saltroni.backup.failure import Failure
from saltroni.backup.recovery import PORT

#: pg_dump's formats that go through a stream.
FORMATS = ("plain", "custom", "tar")
TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2"""


class Ambiguous(ValueError):
    """It isn't clear which table is meant; the text lists those that there are."""


def chosen(tables, asked):
    """The tables that are meant, ``[(schema, name)]``. Pure.

    Args:
        tables: all that there are, ``[(schema, name)]``.
        asked: names, each with or without its schema.

    Raises:
        Ambiguous: a name that is in several schemas, or in none.
    """
    found = []
    for text in asked:
        fits = [one for one in tables if text in (one[1], ".".join(one))]
        exact = [one for one in fits if text == ".".join(one)]
        fits = exact if len(exact) == 1 else fits
        if len(fits) != 1:
            what = (
                "there is none at that moment" if not fits else "there are " + ", ".join(".".join(one) for one in fits)
            )
            raise Ambiguous(f"table {text}: {what}")
        found += fits
    return list(dict.fromkeys(found))


def quoted(name):
    """A name as SQL and pg_dump's patterns take it literally. Pure."""
    return '"' + name.replace('"', '""') + '"'


def command(programs, socket, database, tables, form):
    """pg_dump's arguments. Pure."""
    made = [
        f"{programs}/pg_dump", "-h", str(socket), "-p", str(PORT), "-U", "postgres", f"--format={form}",
        "--no-sync", *(f"--table={quoted(schema)}.{quoted(name)}" for schema, name in tables),
    ]  # fmt: skip
    # a name with = or :// in it would be taken for a connection's parameters
    return [*made, "--dbname=dbname='" + database.replace("\\", "\\\\").replace("'", "\\'") + "'"]


def extract(job, tool=None, out=None):
    """Write the dump to the standard output.

    Args:
        job: ``{settings, folder, backup, target, timeline, database, tables, format, deadline_s}``, see
            :func:`saltroni.backup.trial.prove`.
        tool, out: for tests.

    Returns:
        ``{database, tables, parts, took_s}``

    Raises:
        Failure, Ambiguous
    """
    begun = time.monotonic()
    copy = Copy(job["settings"], job["folder"], tool=tool)
    parts = {"fetch_s": round(copy.fetch(job["backup"]), 1)}

    def left():
        return max(1.0, job["deadline_s"] - (time.monotonic() - begun))

    since = time.monotonic()
    with copy.recovered(target.parse(job["target"]), left(), job.get("timeline"), careless=True) as server:
        parts["recover_s"] = round(time.monotonic() - since, 1)
        names = [row[0] for row in server.ask("SELECT datname FROM pg_database WHERE datallowconn")]
        if job["database"] not in names:
            raise Ambiguous(
                f"there is no database {job['database']} at that moment: there are {', '.join(sorted(names))}"
            )
        tables = chosen([tuple(row) for row in server.ask(TABLES, job["database"])], job.get("tables") or [])
        since = time.monotonic()
        arguments = command(copy.settings.programs, copy.run, job["database"], tables, job.get("format") or "plain")
        try:
            done = subprocess.run(
                arguments, stdout=out or sys.stdout, stderr=subprocess.PIPE, text=True, timeout=left(), check=False
            )
        except subprocess.TimeoutExpired as err:
            raise Failure("timeout", f"pg_dump wasn't done within {job['deadline_s']:g} s") from err
        if done.returncode:
            raise Failure("database", f"pg_dump ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        parts["dump_s"] = round(time.monotonic() - since, 1)
    return {
        "database": job["database"],
        "tables": [".".join(one) for one in tables],
        "parts": parts,
        "took_s": round(time.monotonic() - begun, 1),
    }
