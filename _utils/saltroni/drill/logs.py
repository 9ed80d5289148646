"""What a node's services logged between two moments, never more than fits into an answer.

Source: journalctl(1), "--unit" takes patterns; "@" before a time in seconds since 1970.
"""

import subprocess
import tempfile

UNITS = ("patroni*", "postgresql*", "etcd*", "haproxy*", "saltroni-*")
MOST_BYTES = 200 * 1024
LONGEST_S = 3600.0
TIMEOUT_S = 15.0
#: What journalctl says where none of the patterns fits a unit that ever logged.
NO_SUCH_UNIT = "Failed to add filter for units: No data available"


class LogsError(RuntimeError):
    """The journal wasn't read; the text says why."""


def command(since_unix, until_unix):
    """The command that prints the journal of the window.

    Raises:
        LogsError: the window makes no sense, or is too long.
    """
    since, until = float(since_unix), float(until_unix)
    if not 0 < until - since <= LONGEST_S:
        raise LogsError(f"a window from {since:g} to {until:g}: it must be at most {LONGEST_S:g} s long")
    return [
        "journalctl", "--no-pager", "--quiet", "--output=short-iso-precise", f"--since=@{since:.6f}",
        f"--until=@{until:.6f}", *(f"--unit={unit}" for unit in UNITS),
    ]  # fmt: skip


def read(since_unix, until_unix):
    """The journal of the window.

    Returns:
        ``{text, cut_bytes}``: the beginning and the end, where it is longer than :data:`MOST_BYTES`.

    Raises:
        LogsError: see :func:`command`, or journalctl failed.
    """
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(
                command(since_unix, until_unix), stdout=out, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as err:
            raise LogsError(f"journalctl: {err}") from err
        said = done.stderr.decode(errors="replace").strip()
        if NO_SUCH_UNIT in said:
            return {"text": "", "cut_bytes": 0}
        if done.returncode:
            raise LogsError(f"journalctl: {said or done.returncode}")
        return bounded(out)


def bounded(file, most_bytes=MOST_BYTES):
    """The text of an open file, its middle left out where it is longer than ``most_bytes``.

    Whole lines are kept, and a line says how much is missing.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if size <= most_bytes:
        return {"text": file.read().decode(errors="replace"), "cut_bytes": 0}
    head = file.read(most_bytes // 2)
    head = head[: head.rfind(b"\n") + 1]
    file.seek(size - most_bytes // 2)
    tail = file.read()
    tail = tail[tail.find(b"\n") + 1 :]
    cut = size - len(head) - len(tail)
    text = head.decode(errors="replace") + f"-- {cut} bytes are left out here --\n" + tail.decode(errors="replace")
    return {"text": text, "cut_bytes": cut}
