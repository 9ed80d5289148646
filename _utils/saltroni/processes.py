"""Processes of this node, looked at without trust in a bare number: a pid may be another's by now."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path


class ProcessError(RuntimeError):
    """The process isn't there or isn't what it should be; the text says what was found."""


def main_pid(unit):
    """Main process of a systemd unit, None if it doesn't run."""
    shown = subprocess.run(
        ["systemctl", "show", "--property=MainPID", "--value", unit],
        capture_output=True, text=True, timeout=10, check=False,
    ).stdout.strip()  # fmt: skip
    return int(shown) if shown.isdigit() and shown != "0" else None


def pids(proc="/proc"):
    """Pids of all processes."""
    return [int(entry.name) for entry in Path(proc).iterdir() if entry.name.isdigit()]


def state(pid, proc="/proc"):
    """State letter of a process (``T`` is stopped), None if it is gone. Source: proc(5), ``/proc/pid/stat``."""
    stat = _stat(pid, proc)
    return stat[0] if stat else None


def parent(pid, proc="/proc"):
    """Pid of a process's parent, None if it is gone."""
    stat = _stat(pid, proc)
    return int(stat[1]) if stat else None


def _stat(pid, proc):
    """Fields of ``/proc/pid/stat`` after the name, which may hold blanks and brackets itself."""
    try:
        text = Path(proc, str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def opened(pid, proc="/proc"):
    """Paths that a process holds open."""
    found = set()
    try:
        descriptors = list(Path(proc, str(pid), "fd").iterdir())
    except OSError as err:
        raise ProcessError(f"can't look at process {pid}: {err}") from err
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            found.add(str(descriptor.readlink()))
    return found


def postmaster(data_dir, proc="/proc"):
    """The pid that ``postmaster.pid`` of a data directory names, if it is really this directory's postgres.

    Raises:
        ProcessError: it isn't running, or the number belongs to something else.
    """
    data_dir = Path(data_dir)
    try:
        pid = int((data_dir / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError) as err:
        raise ProcessError(f"PostgreSQL of {data_dir} isn't running: {err}") from err
    try:
        program = Path(proc, str(pid), "exe").readlink().name
        works_in = Path(proc, str(pid), "cwd").readlink()
    except OSError as err:
        raise ProcessError(f"{data_dir}/postmaster.pid names {pid}, which is gone: {err}") from err
    # an upgraded package leaves "postgres (deleted)"; a postmaster works in its data directory
    if program.split(" ")[0] != "postgres" or works_in != data_dir.resolve():
        raise ProcessError(f"{data_dir}/postmaster.pid names {pid}, but that is {program} in {works_in}: left alone")
    return pid


def send(pid, number, still):
    """Send a signal to ``pid`` if ``still()`` gives the same pid while it is held, so that no other can be hit.

    Raises:
        ProcessError: it is gone or has changed.
    """
    try:
        held = os.pidfd_open(pid)
    except OSError as err:
        raise ProcessError(f"process {pid} is gone: {err}") from err
    try:
        if still() != pid:
            raise ProcessError(f"process {pid} isn't what it was a moment ago: left alone")
        signal.pidfd_send_signal(held, number)
    except ProcessLookupError as err:
        raise ProcessError(f"process {pid} is gone: {err}") from err
    finally:
        os.close(held)
