"""This node's postmaster: whether it takes writes, whether it answers, and how it is stopped.

Sources: PostgreSQL's ``src/include/utils/pidfile.h``: the eighth line of ``postmaster.pid`` is its state; a standby that
takes reads is ``ready`` too. ``src/include/catalog/pg_control.h``: ``DBState`` follows two numbers of 8 and twice 4
bytes, and becomes ``DB_IN_PRODUCTION`` at the moment from which writes are taken.
"""

import contextlib
import os
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from saltroni import processes

#: PostgreSQL's request for TLS: answered by one byte, by a child, before anything is checked or counted.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
#: An immediate shutdown gets so long, then everything is killed.
PATIENCE_S = 1.0
#: ``DBState`` in ``global/pg_control``.
DB_STATE = struct.Struct("=16xI")
IN_PRODUCTION = 6


@dataclass(frozen=True)
class Postmaster:
    """One life of it."""

    pid: int
    started: str
    state: str
    production: bool = False

    @property
    def life(self):
        """What tells one life from another."""
        return self.pid, self.started

    @property
    def writable(self):
        """Whether it is a primary that takes writes."""
        return self.state == "ready" and self.production

    @property
    def role(self):
        """Its state in a word."""
        return "primary" if self.writable else "standby" if self.state == "ready" else self.state


def read(data_dir):
    """What ``postmaster.pid`` says, None without it or while it is being written."""
    try:
        lines = Path(data_dir, "postmaster.pid").read_text(encoding="utf-8").split("\n")
        state = lines[7].strip() if len(lines) > 7 else ""
        return Postmaster(int(lines[0]), lines[2], state, _in_production(data_dir))
    except (OSError, ValueError, IndexError):
        return None


def _in_production(data_dir):
    with Path(data_dir, "global", "pg_control").open("rb") as file:
        head = file.read(DB_STATE.size)
    return len(head) == DB_STATE.size and DB_STATE.unpack(head)[0] == IN_PRODUCTION


def look(data_dir):
    """The :class:`Postmaster` that runs, None if there is none."""
    found = read(data_dir)
    try:
        return found if found and processes.postmaster(data_dir) == found.pid else None
    except processes.ProcessError:
        return None


def switches(pid):
    """Its context switches so far, None if it is gone."""
    try:
        text = Path("/proc", str(pid), "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches:" in line)


def answers(path, timeout_s):
    """Whether a new connection gets an answer; None if nobody listens.

    Args:
        path: PostgreSQL's socket.
        timeout_s: how long to wait.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout_s)
        try:
            link.connect(path)
            link.sendall(SSL_REQUEST)
            link.recv(1)
        except (BlockingIOError, TimeoutError):
            return False  # its queue is full, or nobody takes from it
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError:
            return True  # hung up: somebody did
        return True


def _children(pid):
    """``[(pid, descriptor)]`` of a process's children, held so that no other can be hit."""
    held = []
    for one in processes.pids():
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(one)
            if processes.parent(one) == pid:
                held.append((one, descriptor))
            else:
                os.close(descriptor)
    return held


def left(data_dir, proc="/proc"):
    """Processes of a PostgreSQL, its postmaster or not: they all work in its data directory (``ChangeToDataDir``)."""
    there, found = Path(data_dir).resolve(), []
    for pid in processes.pids(proc):
        with contextlib.suppress(OSError):
            if Path(proc, str(pid), "cwd").readlink() == there:
                found.append(pid)
    return found


def deserted(data_dir, timeout_s, every_s=0.01, proc="/proc"):
    """Wait until a dead postmaster's children have ended, too, for so long at most; whether they have.

    (Not by :mod:`saltroni.wait`: a guard's node has this package and :mod:`saltroni.processes` only.)
    """
    end = time.monotonic() + timeout_s
    while left(data_dir, proc):
        if time.monotonic() >= end:
            return False
        time.sleep(every_s)
    return True


def stop(data_dir, seen, gently=True):
    """Stop PostgreSQL for certain: an immediate shutdown, and what is left after a moment is killed.

    Args:
        data_dir: its data directory.
        seen: the :class:`Postmaster` that is meant; another life is left alone.
        gently: False kills at once.

    Returns:
        seconds that it took.

    Raises:
        ProcessError: it is gone already, or can't be stopped.
    """
    begun = time.monotonic()

    def same():
        found = look(data_dir)
        return found.pid if found and found.life == seen.life else None

    children = _children(seen.pid)
    try:
        held = os.pidfd_open(seen.pid)
    except OSError as err:
        raise processes.ProcessError(f"process {seen.pid} is gone: {err}") from err
    try:
        if gently and processes.state(seen.pid) not in ("T", "t"):
            processes.send(seen.pid, signal.SIGQUIT, same)
            if _ended(held, PATIENCE_S):
                return time.monotonic() - begun
        processes.send(seen.pid, signal.SIGKILL, same)
        for _, descriptor in children:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not _ended(held, PATIENCE_S):
            raise processes.ProcessError(f"postmaster {seen.pid} was killed, but doesn't end: see its state in /proc")
    finally:
        os.close(held)
        for _, descriptor in children:
            os.close(descriptor)
    return time.monotonic() - begun


def _ended(descriptor, timeout_s):
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(timeout_s * 1000))
