"""REPORT.md on disk: written whole, and once for a burst of events."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from saltroni import clusters
from saltroni.report import page, store

#: How long a burst may gather before it is written (seconds).
QUIET_S = 1.0


def write(folder, model, now=None):
    """Write REPORT.md of one cluster.

    Args:
        folder: the cluster's folder on the master.
        model: the cluster's model.
        now: the page's time.

    Returns:
        ``{path, events, runs, problems, open, drills}``

    Raises:
        StoreError, OSError, jinja2.TemplateError
    """
    folder = Path(folder)
    log = store.Store(folder / "events").read()
    facts = page.gather(model, log, now)
    path = folder / "REPORT.md"
    clusters.write(path, page.render(facts))
    return {
        "path": str(path),
        "events": len(log.events),
        "runs": len(facts["runs"]),
        "problems": len(facts["problems"]),
        "open": sum(problem["solved"] is None for problem in facts["problems"]),
        "drills": len(facts["drills"]),
    }


def request(folder, make, quiet_s=QUIET_S, sleep=time.sleep):
    """Have the report written soon: now by this caller, or by the one that is at it already.

    Args:
        folder: the cluster's folder.
        make: writes the report.
        quiet_s: seconds in which events gather before each writing.

    Returns:
        how often this caller wrote it.
    """
    folder = Path(folder)
    wanted = folder / "report.wanted"
    wanted.touch(mode=0o600)
    times = 0
    # whoever asks while another writes leaves the wish behind; it is looked for again after the lock is free
    while wanted.exists():
        with _only_one(folder / "report.lock") as mine:
            if not mine:
                break
            while wanted.exists():
                sleep(quiet_s)
                wanted.unlink(missing_ok=True)
                make()
                times += 1
    return times


@contextlib.contextmanager
def _only_one(path):
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
