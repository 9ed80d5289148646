"""What runs in a unit of its own: ``python3 -m saltroni.backup.work do JOB RESULT``, as postgres.

    do JOB RESULT                        what the job's file says; its result is written as JSON
    fetch SETTINGS PREFETCH FILE TARGET  the restore_command of private servers: 0 done, 1 not in the archive, 255 failed

PostgreSQL takes every exit code up to 125 for the end of the log, and would promote; by 255 it stops. Source:
PostgreSQL's documentation, *Continuous Archiving*, "Recovering Using a Continuous Archive Backup".
"""

import json
import os
import signal
import sys
from pathlib import Path

from saltroni.backup import extract, tools, trial
from saltroni.backup import fetch as fetching
from saltroni.backup.failure import Failure
from saltroni.backup.settings import SettingsError, load

JOBS = {"prove": trial.prove, "extract": extract.extract}


def fetch(settings, prefetch, name, target, tool=None):
    """Fetch one file for a private server; returns the exit code."""
    try:
        told = load(settings)
        code, failure = fetching.fetch(
            told, tool or tools.tool(told), name, target, strict=True, prefetch=Path(prefetch)
        )
    except Failure as err:
        code, failure = fetching.STOP, err
    except (SettingsError, OSError) as err:
        code, failure = fetching.STOP, Failure("settings", str(err))
    if code == fetching.STOP:
        # into the server's log, where private.Server finds it
        print(f"saltroni: {name}: {failure.kind}: {failure.text}", file=sys.stderr, flush=True)
    return code


def do(job, jobs=None):
    """Do a job; its result is a dict, with ``error`` and ``kind`` if it failed."""
    jobs = jobs or known()
    try:
        return jobs[job["what"]](job)
    except Failure as err:
        return {"error": err.text, "kind": err.kind}
    except (SettingsError, OSError, ValueError) as err:
        return {"error": str(err), "kind": "settings" if isinstance(err, SettingsError) else "other"}


def known():
    """Jobs by their names."""
    from saltroni.backup import inplace  # what only a restore needs

    return {**JOBS, **inplace.JOBS}


def keep(path, result):
    """Write a result, whole or not at all."""
    temporary = Path(f"{path}.new")
    with temporary.open("w", encoding="utf-8") as out:
        json.dump(result, out)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(path)
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main(arguments):
    """Returns the exit code."""
    # whoever stops the unit wants the server stopped, too: by the blocks that started it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    what, *rest = arguments
    if what == "fetch":
        return fetch(*rest)
    job, result = rest
    keep(result, do(json.loads(Path(job).read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
