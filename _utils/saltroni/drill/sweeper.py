"""Takes a drill's table away when the drill can't: it was killed, or found no leader at its end.

Armed before the table is made. The drill holds a lock on a file; a service of systemd on the same node waits for that
lock, which the kernel lets go when the drill's process ends, however it ends. Then the service takes the cluster's drill
lock (so it comes after the dead drill's lease, and never between a living drill's rows) and drops the table. If another
drill is first, that one cleans.

The file is in memory (``/run``), readable by root only, and gone afterwards: it holds what the service needs to log in.

Sources: systemd-run(1); flock(2), "released when all descriptors are closed".
"""

import contextlib
import fcntl
import json
import os
import sys
from pathlib import Path

from saltroni.drill import database, ledger, lock
from saltroni.etcd import gateway
from saltroni.faults import FaultError, healer
from saltroni.wait import DeadlineError, NotYet, until

FOLDER = "/run/saltroni-drill"
UNIT = "saltroni-sweep"
#: It gives up after this long (seconds): the next drill cleans then.
SWEEP_S = 900.0
RETRY_S = 2.0


class CannotArm(RuntimeError):
    """The sweeper can't be armed; the text says why."""


class Sweeper:
    """The armed sweeper of one drill.

    Args:
        model: the pillar's ``saltroni``.
        drill: the drill's id.
        folder: where its file is.
    """

    def __init__(self, model, drill, folder=FOLDER):
        self.unit = f"{UNIT}-{drill}"
        self._path = Path(folder) / f"{self.unit}.json"
        self._told = {"drill": drill, "model": needed(model)}
        self._file = None

    def arm(self):
        """Start the service that waits for this process to end.

        Raises:
            CannotArm: then no table may be made.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            json.dump(self._told, self._file)
            self._file.flush()
            healer.run(
                "systemd-run", f"--unit={self.unit}", "--collect", "--quiet", "--property=Nice=5",
                f"--setenv=PYTHONPATH={Path(__file__).parents[2]}", "--setenv=PYTHONDONTWRITEBYTECODE=1",
                sys.executable, "-m", __name__, str(self._path),
            )  # fmt: skip
        except (OSError, FaultError) as err:
            self._forget()
            raise CannotArm(f"the drill's table could be left behind, its sweeper can't be armed: {err}") from err

    def disarm(self):
        """The table is gone: nothing is left to do."""
        healer.run("systemctl", "stop", f"{self.unit}.service", check=False)
        self._forget()

    def let_go(self):
        """The table may be there still: the service takes it away."""
        if self._file:
            self._file.close()

    def _forget(self):
        self._path.unlink(missing_ok=True)
        self.let_go()


def needed(model):
    """The part of ``model`` that the service needs: no secret but the drill's own two."""
    kept = {name: model[name] for name in ("cluster", "nodes", "by_role", "postgresql", "etcd", "haproxy", "self")}
    return {**kept, "secrets": {name: model["secrets"][name] for name in ("drill", "etcd_drill")}}


def sweep(told, now, deadline_s=SWEEP_S):
    """Drop the table that a dead drill left.

    Args:
        told: ``{drill, model}``.
        now: the time, UTC, for whoever finds the lock taken.

    Returns:
        a sentence that says what was done.

    Raises:
        DeadlineError: neither was the lock free nor could the table be dropped.
    """
    model = told["model"]

    def swept():
        try:
            with lock.held(model, f"sweeper of {told['drill']}", now):
                return drop(model)
        except lock.LockHeld as err:
            if told["drill"] not in str(err):  # its lease has ended, and who has the lock now has cleaned
                return "another drill cleans"
            raise NotYet(str(err)) from err
        except (gateway.EtcdHttpError, OSError) as err:
            raise NotYet(str(err)) from err

    return until(swept, "the table of a drill that was killed to be dropped", deadline_s, every_s=RETRY_S)


def drop(model):
    """Drop the drill's table on whichever member takes writes; returns a sentence.

    Raises:
        NotYet: none does.
    """
    failures = []
    for name in model["by_role"]["patroni"]:
        try:
            where = database.member(model, name)
            if database.ask(where, "SELECT pg_is_in_recovery()")[0][0]:
                continue
            database.ask(where, ledger.CLEAN_ALL)
            return f"the table is gone from {name}"
        except database.DatabaseError as err:
            failures.append(str(err))
    raise NotYet("no member takes writes: " + "; ".join(failures))


@contextlib.contextmanager
def table(model, drill, where):
    """The drill's table while the block runs. Without fail it is gone afterwards, by us or by the service.

    Args:
        where: connection parameters through a load balancer.

    Raises:
        CannotArm, DatabaseError: there is no table then.
    """
    guard = Sweeper(model, drill)
    guard.arm()
    try:
        with contextlib.suppress(database.DatabaseError):  # not yet allowed: before state.apply; a drill can do without
            database.ask(where, ledger.SWITCH)
        database.ask(where, ledger.CLEAN_ALL)
        database.ask(where, ledger.TABLE)
        database.ask(where, ledger.INDEX)
        yield
    finally:
        try:
            drop(model)
        except NotYet:
            guard.let_go()
        else:
            guard.disarm()


def main(path):
    """What the service runs: wait until the drill's process is gone, then clean."""
    from saltroni.drill.course import now

    with Path(path).open(encoding="utf-8") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)
        try:
            sys.stdout.write(sweep(json.load(waiting), now()) + "\n")
        except DeadlineError as err:
            sys.exit(str(err))
        finally:
            Path(path).unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
