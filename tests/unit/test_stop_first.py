"""What Patroni calls before it stops PostgreSQL: it stops in good order, waits for the end, and never for long."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "salt/patroni/files/stop-first"
#: Begins, says so, and takes its time when it is asked to stop, as a fast shutdown asks.
POSTMASTER = """
import signal, sys, time
def stop(*_):
    open("asked", "w").close()
    time.sleep(float(sys.argv[1]))
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
print(flush=True)
time.sleep(60)
"""
#: No wall-clock figure here is tighter than what a busy machine may add.
BUSY_S = 20


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def postmaster(data):
    begun = []

    def begin(takes_s, cwd=data):
        one = subprocess.Popen([sys.executable, "-c", POSTMASTER, str(takes_s)], cwd=cwd, stdout=subprocess.PIPE)
        one.stdout.readline()
        begun.append(one)
        (data / "postmaster.pid").write_text(f"{one.pid}\n{data}\n")
        return one

    yield begin
    for one in begun:
        one.kill()
        one.wait()


def stop(data, state="in production"):
    bins = data.parent / "bin"
    bins.mkdir(exist_ok=True)
    control = bins / "pg_controldata"
    control.write_text(f"#!/bin/sh\necho 'Database cluster state:               {state}'\n")
    control.chmod(0o755)
    begun = time.monotonic()
    done = subprocess.run([SCRIPT, data, bins], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return time.monotonic() - begun


def test_it_comes_back_when_postgresql_has_ended(data, postmaster):
    one = postmaster(0.2)
    # it is this test's child: somebody must wait for it, or it is never gone
    threading.Thread(target=one.wait, daemon=True).start()
    soon_s = stop(data)
    assert not Path(f"/proc/{one.pid}").exists()
    postmaster(50)
    assert soon_s < stop(data)


def test_one_that_takes_long_is_left_to_patroni(data, postmaster):
    one = postmaster(50)
    took_s = stop(data)
    assert 0.9 < took_s < BUSY_S
    assert one.poll() is None


def test_one_that_only_archives_is_left_sooner(data, postmaster):
    one = postmaster(50)
    long_s = stop(data)
    assert stop(data, "shut down") < long_s
    assert one.poll() is None


def test_a_link_to_the_data_is_the_data(data, postmaster):
    postmaster(50)
    link = data.parent / "link"
    link.symlink_to(data)
    stop(link)
    assert (data / "asked").exists()


@pytest.mark.parametrize("text", ["", "\n", "-4711\n", "1 2\n", "99999999\n"])
def test_no_postmaster_no_stop(data, text):
    (data / "postmaster.pid").write_text(text)
    assert stop(data) < BUSY_S


def test_data_that_are_gone(data):
    assert stop(data / "gone") < BUSY_S


def test_a_process_of_another_directory_is_left_alone(data, postmaster):
    other = data.parent / "other"
    other.mkdir()
    one = postmaster(0, cwd=other)
    stop(data)
    assert one.poll() is None
    assert not (other / "asked").exists()
