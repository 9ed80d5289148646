"""Who is left of a PostgreSQL whose postmaster is dead: real processes, in a directory of their own."""

import subprocess
import sys
import time

import pytest

from saltroni.guard import postmaster


@pytest.fixture
def child(tmp_path):
    """A process that works in the data directory, as PostgreSQL's do, for a moment or for long."""
    begun = []

    def begin(seconds):
        program = f"import time; print(flush=True); time.sleep({seconds})"
        one = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE)
        one.stdout.readline()
        begun.append(one)
        return one

    yield begin
    for one in begun:
        one.kill()
        one.wait()


def test_they_are_known_by_where_they_work(tmp_path, child):
    one = child(30)
    assert postmaster.left(tmp_path) == [one.pid]
    (tmp_path / "link").symlink_to(tmp_path)
    assert postmaster.left(tmp_path / "link") == [one.pid]
    (tmp_path / "other").mkdir()
    assert postmaster.left(tmp_path / "other") == []


def test_their_end_is_waited_for(tmp_path, child):
    child(0.2)
    assert postmaster.deserted(tmp_path, 20)
    assert postmaster.deserted(tmp_path, 0)


def test_but_no_longer_than_said(tmp_path, child):
    child(30)
    begun = time.monotonic()
    assert not postmaster.deserted(tmp_path, 0.1)
    assert time.monotonic() - begun < 10
