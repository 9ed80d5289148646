"""A PostgreSQL server of our own beside the cluster's: on a socket in a folder that only postgres enters.

It is run in the foreground, as a child: whoever ends this process's unit ends it, too.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from saltroni.backup import control, recovery
from saltroni.backup.failure import Failure

#: Who lets nobody in but by the socket, which lies in a folder of postgres's own.
HBA = "local all all trust\n"
EVERY_S = 0.2
STOP_S = 120
#: What PostgreSQL writes when a recovery is over.
LAST_COMMIT = re.compile(r"last completed transaction was at log time (?P<time>.+)$", re.MULTILINE)
STOPPED_AT = re.compile(r"recovery stopping (?:before|after) .+$", re.MULTILINE)
#: Without what it answers to those who ask too early.
FATAL = re.compile(r"(?:FATAL|PANIC):\s+(?!the database system is )(?P<text>.+)$", re.MULTILINE)
#: What ``restore_command`` writes there when a file couldn't be fetched.
UNFETCHED = re.compile(r"^saltroni: [\d:]+ (?P<text>.+) \((?P<kind>\w+): [^)]*\)$", re.MULTILINE)


def controldata(programs, data, user=None):
    """What a data directory's control file says.

    Args:
        programs: the folder of PostgreSQL's programs.
        data: the data directory.
        user: whose rights, None for one's own.

    Raises:
        Failure: it can't be read.
    """
    done = run([Path(programs) / "pg_controldata", data], "pg_controldata", 30, user=user)
    try:
        return control.parse(done)
    except ValueError as err:
        raise Failure("corrupt", f"{data}: {err}") from err


def run(command, what, timeout_s, stdin=None, kind="database", user=None, accept=(0,)):
    """Run one of PostgreSQL's programs; its output.

    Raises:
        Failure: it doesn't end well, or not in time.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command], input=stdin, capture_output=True, text=True, errors="replace",
            timeout=timeout_s, check=False, cwd="/", env=_environment(), user=user,
            extra_groups=[] if user else None,
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        raise Failure("timeout", f"{what}: not done within {timeout_s:g} s") from err
    except OSError as err:
        raise Failure(kind, f"{what}: {err}") from err
    if done.returncode not in accept:
        raise Failure(kind, f"{what} ended with {done.returncode}: {tail(done.stderr or done.stdout)}")
    return done.stdout


def tail(text, lines=5):
    """The last lines of what a program said."""
    return " / ".join(line.strip() for line in text.strip().splitlines()[-lines:]) or "it said nothing"


def _environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}


class Server:
    """One private server.

    Args:
        programs: the folder of PostgreSQL's programs.
        data: its data directory.
        folder: a folder of postgres's own, mode 0700, for the socket, the log and the rules of access.
    """

    def __init__(self, programs, data, folder):
        self.programs, self.data, self.folder = Path(programs), Path(data), Path(folder)
        self.log = self.folder / "server.log"
        self.hba = self.folder / "hba.conf"
        self.socket = self.folder
        self._process = None

    def start(self, settings):
        """Start it; it isn't ready yet when this returns.

        Args:
            settings: see :func:`saltroni.backup.recovery.settings`.

        Raises:
            Failure: it can't be started.
        """
        self.hba.write_text(HBA, encoding="ascii")
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():  # in their order, see saltroni.backup.target.settings
            command += ["-c", f"{name}={value}"]
        try:
            with self.log.open("w", encoding="utf-8") as log:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment()
                )
        except OSError as err:
            raise Failure("database", f"a private server can't be started: {err}") from err

    def said(self):
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def dead(self):
        """Its exit code, None while it lives."""
        return self._process.poll()

    def failure(self):
        """The failure that its last words are."""
        return failed(self.said())

    def await_promoted(self, deadline_s, clock=time.monotonic, sleep=time.sleep):
        """Wait until it is out of recovery: it answers, and says so.

        Raises:
            Failure: it ended, or the deadline passed.
        """
        end = clock() + deadline_s
        while True:
            if self.dead() is not None:
                raise self.failure()
            try:
                if self.ask("SELECT pg_is_in_recovery()", timeout_s=10)[0][0] == "f":
                    return
                latest = "it is in recovery"
            except Failure as err:
                latest = str(err)
            if clock() > end:
                raise Failure("timeout", f"the recovery wasn't over within {deadline_s:g} s: {latest}")
            sleep(EVERY_S)

    def await_ended(self, deadline_s, clock=time.monotonic, sleep=time.sleep):
        """Wait until it has ended by itself, as ``recovery_target_action = shutdown`` does.

        Raises:
            Failure: it ended by an error, or the deadline passed.
        """
        end = clock() + deadline_s
        while self.dead() is None:
            if clock() > end:
                raise Failure("timeout", f"the recovery wasn't over within {deadline_s:g} s: {tail(self.said(), 2)}")
            sleep(EVERY_S)
        if self.dead() != 0 or FATAL.search(self.said()):
            raise self.failure()

    def ask(self, query, database="postgres", timeout_s=60):
        """Rows of a query: lists of text; NULL is an empty text.

        Raises:
            Failure: no answer, or an error.
        """
        command = [
            self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1e",
            "-h", self.socket, "-p", str(recovery.PORT), "-U", "postgres", "-d", database,
        ]  # fmt: skip
        # by its standard input: in its arguments everyone on this node could read it
        said = run(command, "a query of the private server", timeout_s, stdin=query)
        return [row.split("\x1f") for row in said.removesuffix("\n").split("\x1e")] if said.strip("\n") else []

    def stop(self, deadline_s=STOP_S):
        """Stop it in order; killed when that doesn't help. Nothing happens if it has ended."""
        if self._process is None:
            return
        for number, wait_s in ((signal.SIGINT, deadline_s), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if self._process.poll() is not None:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(wait_s)
            except subprocess.TimeoutExpired:
                continue

    def last_commit(self):
        """When the last transaction that was recovered had committed, as PostgreSQL writes it; None if there was none."""
        found = LAST_COMMIT.findall(self.said())
        return found[-1] if found else None

    def stopped_at(self):
        """Where the recovery stopped, in PostgreSQL's words; None if it went to the end."""
        found = STOPPED_AT.findall(self.said())
        return found[-1] if found else None


def failed(log):
    """The failure that a server's log tells of. Pure."""
    unfetched = list(UNFETCHED.finditer(log))
    if unfetched:
        last = unfetched[-1]
        return Failure(last["kind"], f"the archive couldn't be read: {last['text']}")
    found = list(dict.fromkeys(match["text"] for match in FATAL.finditer(log)))
    why = "; ".join(found[:3]) or tail(log)
    if "before configured recovery target was reached" in why:
        return Failure("missing", f"the archive ends before the moment that was asked for ({why})")
    if "is not a child of this server" in why or "recovery target timeline" in why:
        return Failure("missing", f"the base backup isn't on the timeline that was asked for ({why})")
    return Failure("database", f"the private server ended: {why}")
