"""The process that writes a cluster's report, so that recording an event never waits for it.

Whoever records leaves a wish and, unless a writer is at it, starts one: ``python -m saltroni.report.writer FOLDER``. It
lets a burst gather, writes, and ends when no wish is left.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from saltroni import clusters, locks, wait

#: How long a burst may gather before it is written (seconds).
QUIET_S = 1.0
#: A writer rests this many times as long as the last writing took: it takes a third of a core at most.
REST = 2
#: How long :func:`alone` waits for another writer (seconds).
BUSY_S = 60
WISH, LOCK, TROUBLE = "report.wanted", "report.lock", "report.trouble"


def request(folder, start=None):
    """Have the report written soon. Returns at once.

    Args:
        folder: the cluster's folder on the master.
        start: starts the process; for tests.

    Raises:
        OSError: the wish can't be left, or no process can be started.
    """
    folder = Path(folder)
    (folder / WISH).touch(mode=0o600)
    with _locked(folder) as mine:
        idle = mine
    if idle:
        (start or _process)(folder)


def _process(folder):
    utils = str(Path(clusters.__file__).parents[1])
    subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": utils, "LANG": "C.UTF-8", "HOME": str(folder)},
    )


def fulfil(folder, make, quiet_s=QUIET_S, sleep=time.sleep, clock=time.monotonic):
    """Write as long as there are wishes, unless another one is at it.

    Args:
        make: writes the report.

    Returns:
        how often it was written.
    """
    folder = Path(folder)
    wish = folder / WISH
    times = 0
    # whoever asks while another writes leaves the wish behind; it is looked for again after the lock is free
    while wish.exists():
        with _locked(folder) as mine:
            if not mine:
                break
            while wish.exists():
                sleep(quiet_s)
                wish.unlink(missing_ok=True)
                began = clock()
                make()
                times += 1
                sleep(min(60.0, REST * (clock() - began)))
    return times


@contextlib.contextmanager
def alone(folder, deadline_s=BUSY_S):
    """No other writer meanwhile.

    Raises:
        DeadlineError: another one has been at it for ``deadline_s`` seconds.
    """
    end = contextlib.ExitStack()

    def free():
        attempt = contextlib.ExitStack()
        if not attempt.enter_context(_locked(Path(folder))):
            attempt.close()
            raise wait.NotYet("another process writes it")
        end.push(attempt)

    wait.until(free, "the report to be free", deadline_s, every_s=0.1)
    with end:
        yield


def _locked(folder):
    return locks.attempt(folder / LOCK)


def main(folder):
    """What the process does. What goes wrong stands in ``report.trouble``, and ``report.write`` says it again."""
    from saltroni.report import writing

    with contextlib.suppress(OSError):
        os.nice(10)
    folder = Path(folder)

    def make():
        trouble = folder / TROUBLE
        try:
            model = json.loads((folder / clusters.FILE).read_text(encoding="utf-8"))
            writing.write(folder, model)
            trouble.unlink(missing_ok=True)
        except Exception as err:  # noqa: BLE001 - there is nobody else to tell
            trouble.write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {err!r}\n", encoding="utf-8")

    fulfil(folder, make)


if __name__ == "__main__":
    main(sys.argv[1])
