"""Which postmaster is frozen, and that real sockets and processes look as the decision expects."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from saltroni.guard import postmaster
from saltroni.guard.fuse import Fuse
from saltroni.guard.silence import Silence


def tries(number, moves, each_s=2.0):
    known, switches = Silence(), 100
    for step in range(number):
        after = switches + (1 if step in moves else 0)
        known = known.silent(step * each_s, (step + 1) * each_s, switches, after)
        switches = after
    return known


def test_frozen_after_the_time_and_not_before():
    assert not tries(4, ()).frozen(10)
    assert tries(5, ()).frozen(10)
    assert tries(5, ()).lasts_s() == 10


def test_a_slow_one_moves():
    for step in range(6):
        assert not tries(6, (step,)).frozen(12), step
    assert not tries(60, range(0, 60, 4)).frozen(10)


def test_it_moved_between_two_tries():
    known = Silence().silent(0, 2, 100, 100).silent(2.5, 4.5, 103, 103)
    assert known.lasts_s() == 2


def test_one_that_is_gone_is_not_frozen():
    assert Silence().silent(0, 20, 100, None) == Silence()


@pytest.fixture
def door(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)
        made.listen(0)
        yield path, made


def test_nobody_takes_the_connection(door):
    path, _ = door
    begun = time.monotonic()
    assert postmaster.answers(path, 0.2) is False
    assert time.monotonic() - begun < 1
    # and with a full queue
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(path)
    assert postmaster.answers(path, 0.2) is False
    for one in waiting:
        one.close()


@pytest.mark.parametrize("said", [b"N", b"E", b""])
def test_any_answer_proves_life(door, said):
    path, made = door

    def serve():
        link, _ = made.accept()
        link.recv(8)
        link.sendall(said)
        link.close()

    threading.Thread(target=serve).start()
    assert postmaster.answers(path, 2) is True


def test_without_a_socket_nothing_is_known(tmp_path):
    assert postmaster.answers(str(tmp_path / "none"), 1) is None


def test_a_stopped_process_makes_no_switches():
    with subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.01)"]) as child:
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(0.1)
        before = postmaster.switches(child.pid)
        time.sleep(0.2)
        assert postmaster.switches(child.pid) == before
        os.kill(child.pid, signal.SIGCONT)
        time.sleep(0.2)
        assert postmaster.switches(child.pid) > before
        child.kill()
    assert postmaster.switches(child.pid) is None


def control(folder, state):
    """The head of a ``pg_control`` of PostgreSQL 17."""
    (folder / "global").mkdir(exist_ok=True)
    head = struct.pack("=QIII", 7712045102847221347, 1700, 202406281, state)
    (folder / "global" / "pg_control").write_bytes(head.ljust(8192, b"\0"))


def test_a_standby_that_takes_reads_is_no_primary(tmp_path):
    """``ready`` in postmaster.pid is said of both: a guard that took it for writable stopped every replica."""
    lines = ["4711", str(tmp_path), "1764045554", "5432", "/var/run/postgresql", "192.0.2.1", "  1  2", "ready   "]
    (tmp_path / "postmaster.pid").write_text("\n".join(lines) + "\n")
    for state, role in ((5, "standby"), (4, "standby"), (6, "primary")):
        control(tmp_path, state)
        seen = postmaster.read(tmp_path)
        assert (seen.role, seen.writable) == (role, role == "primary")


def test_what_the_pid_file_says(tmp_path):
    control(tmp_path, 6)
    lines = ["4711", str(tmp_path), "1764045554", "5432", "/var/run/postgresql", "192.0.2.1", "  1  2", "ready   "]
    (tmp_path / "postmaster.pid").write_text("\n".join(lines) + "\n")
    seen = postmaster.read(tmp_path)
    assert seen.writable and seen.life == (4711, "1764045554")
    (tmp_path / "postmaster.pid").write_text("\n".join(lines[:7]) + "\nstandby \n")
    assert not postmaster.read(tmp_path).writable
    (tmp_path / "postmaster.pid").write_text("\n".join(lines[:6]) + "\n")
    assert not postmaster.read(tmp_path).writable
    (tmp_path / "postmaster.pid").write_text("")
    assert postmaster.read(tmp_path) is None
    assert postmaster.look(tmp_path) is None


def test_it_runs_with_the_standard_library_and_its_own_files_only(tmp_path):
    """What the state brings to a node is enough, without this package and without Salt's Python."""
    source = Path(postmaster.__file__).parents[1]
    (tmp_path / "saltroni" / "guard").mkdir(parents=True)
    for file in [source / "processes.py", *(source / "guard").glob("*.py")]:
        (tmp_path / file.relative_to(source.parent)).write_bytes(file.read_bytes())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from saltroni.guard import guarding, lease, remote"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_a_guard_that_stops_again_and_again_stands_back():
    known = Fuse()
    for moment in (0, 100, 200):
        assert not known.blown(moment)
        known = known.stopped(moment)
    assert known.blown(201) and known.blown(599)
    assert not known.blown(601)
    assert known.stopped(601).blown(602)
