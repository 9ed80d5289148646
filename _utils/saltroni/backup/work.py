"""What runs in a unit of its own: ``python3 -m saltroni.backup.work JOB RESULT``, as postgres.

It does what the job's file says, and writes its result: both are JSON.
"""

import json
import os
import signal
import sys
from pathlib import Path

from saltroni.backup import extract, trial
from saltroni.backup.failure import Failure
from saltroni.backup.settings import SettingsError

JOBS = {"prove": trial.prove, "extract": extract.extract}


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
    job, result = arguments
    keep(result, do(json.loads(Path(job).read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
