"""Keeps Patroni from starting on this node, whoever asks: a state run, a reboot, a person who doesn't know.

A drop-in for its unit that makes its own presence a reason not to start. Source: systemd.unit(5), "Conditions and Asserts".
"""

import subprocess
from pathlib import Path

from saltroni import processes
from saltroni.backup.failure import Failure
from saltroni.wait import DeadlineError, NotYet, until

FILE = Path("/etc/systemd/system/patroni.service.d/saltroni-restoring.conf")
STOP_S = 180


def text(restore, path=FILE):
    """The drop-in. Pure."""
    return (
        f"# Restore {restore} of this cluster goes on (salt-run restore.show): it starts Patroni when its time has come.\n"
        f"[Unit]\nConditionPathExists=!{path}\n"
    )


def held(path=FILE):
    """Whether Patroni is kept from starting."""
    return path.exists()


def hold(restore, path=FILE):
    """Keep it from starting; what runs goes on."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text(restore, path), encoding="ascii")
    path.chmod(0o644)
    _systemctl("daemon-reload")


def release(path=FILE):
    """Let it start again."""
    if path.exists():
        path.unlink()
        _systemctl("daemon-reload")


def stop(data_dir, programs, user="postgres"):
    """Stop Patroni, and PostgreSQL in order, which Patroni leaves running if it is killed.

    Raises:
        Failure: it still runs.
    """
    _systemctl("stop", "patroni.service")
    if _postmaster(data_dir) is not None:
        _quietly([
            "runuser", "-u", user, "--", f"{programs}/pg_ctl", "-D", data_dir, "-m", "fast", "-w", f"--timeout={STOP_S}",
            "stop",
        ])  # fmt: skip

    def gone():
        if _postmaster(data_dir) is not None:
            raise NotYet(f"its process {_postmaster(data_dir)} lives")

    try:
        until(gone, f"PostgreSQL of {data_dir} to end", 30)
    except DeadlineError as err:
        raise Failure("timeout", str(err)) from err


def start():
    """Start Patroni.

    Raises:
        Failure
    """
    _systemctl("start", "patroni.service")


def running(data_dir):
    """``{patroni, postgresql}``: which of them runs."""
    return {
        "patroni": processes.main_pid("patroni.service") is not None,
        "postgresql": _postmaster(data_dir) is not None,
    }


def _postmaster(data_dir):
    try:
        return processes.postmaster(data_dir)
    except processes.ProcessError:
        return None


def _systemctl(*arguments):
    done = _quietly(["systemctl", *arguments])
    if done.returncode:
        raise Failure("other", f"systemctl {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")


def _quietly(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=STOP_S + 60, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Failure("timeout", f"{' '.join(command)}: {err}") from err
