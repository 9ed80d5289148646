"""Work in a unit of its own: it ends with all its processes, and what it left is removed, whoever is killed.

Source: systemd-run(1), systemd.service(5), systemd.kill(5), systemd.exec(5).
"""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from saltroni.backup.failure import Failure
from saltroni.wait import DeadlineError, NotYet, until

#: Jobs and results: gone with a reboot, as the units are.
FOLDER = "/run/saltroni-work"
PYTHON_PATH = "/usr/local/lib/saltroni/python"
PYTHON = "/usr/bin/python3"
#: How long a unit may take to end by itself when it is stopped (seconds): a private server stops in order meanwhile.
STOP_S = 90
POLL_S = 0.5


def command(name, folder, deadline_s, user="postgres", cleanup=(), hidden=(), output=None, nice=10,
            python_path=PYTHON_PATH, python=PYTHON):  # fmt: skip
    """``systemd-run``'s arguments. Pure.

    Args:
        name: the unit's name, without ``.service``.
        folder: where the job's and the result's files are.
        deadline_s: seconds until systemd ends it.
        user: whose rights it has.
        cleanup: folders that are removed when it has ended, however it ended.
        hidden: paths that don't exist for it: the cluster's own.
        output: a file that takes its standard output; it must be there already, with its rights.
        nice: how much it gives way to others.
    """
    made = [
        "systemd-run", f"--unit={name}", "--collect", "--quiet", "--service-type=exec", "--no-ask-password",
        f"--property=User={user}", f"--property=Group={user}", "--property=KillMode=control-group",
        f"--property=RuntimeMaxSec={int(deadline_s)}", f"--property=TimeoutStopSec={STOP_S}", "--property=UMask=0077",
        f"--property=Nice={nice}", "--property=IOSchedulingClass=best-effort", "--property=IOSchedulingPriority=7",
        "--property=NoNewPrivileges=yes", "--property=OOMScoreAdjust=500", "--property=PrivateTmp=yes",
        f"--setenv=PYTHONPATH={python_path}", "--setenv=PYTHONDONTWRITEBYTECODE=1",
    ]  # fmt: skip
    made += [f"--property=InaccessiblePaths=-{path}" for path in hidden if path]
    if cleanup:
        # as root: whatever rights are left on what is there
        made.append(
            "--property=ExecStopPost=+/bin/rm -rf --one-file-system -- " + " ".join(str(path) for path in cleanup)
        )
    if output:
        made.append(f"--property=StandardOutput=append:{output}")
    return [
        *made,
        "--",
        python,
        "-B",
        "-m",
        "saltroni.backup.work",
        f"{folder}/job.json",
        f"{folder}/result.json",
    ]


def start(name, job, deadline_s, base=FOLDER, **options):
    """Begin a job, unless its very self is under way already.

    Args:
        name: the unit's name.
        job: a dict, see :mod:`saltroni.backup.work`; no password in it.
        deadline_s: seconds until systemd ends it.
        base: where jobs are.
        options: see :func:`command`.

    Returns:
        whether it was begun; False if it runs already.

    Raises:
        Failure: ``busy``: another job of that name runs.
    """
    folder, user = Path(base) / name, options.get("user", "postgres")
    if active(name):
        if _read(folder / "job.json") == job:
            return False
        raise Failure("busy", f"{name} runs already on this node: {words(_read(folder / 'job.json'))}")
    reset(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(mode=0o700)
    (folder / "job.json").write_text(json.dumps(job) + "\n", encoding="utf-8")
    if os.geteuid() == 0:
        account = pwd.getpwnam(user)
        for path in (folder, folder / "job.json"):
            os.chown(path, account.pw_uid, account.pw_gid)
    try:
        done = subprocess.run(
            command(name, folder, deadline_s, **options), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Failure("other", f"{name} can't be started: {err}") from err
    if done.returncode:
        raise Failure("other", f"{name} can't be started: {done.stderr.strip()[-300:]}")
    return True


def words(job):
    """A job as words: what it does, and which restore's it is."""
    return f"{job.get('what')} of {job.get('restore')}" if job and job.get("restore") else str((job or {}).get("what"))


def wait(name, deadline_s, base=FOLDER):
    """Wait for a job's result.

    Raises:
        Failure: it failed, was ended, or isn't done in time.
    """
    folder = Path(base) / name

    def ended():
        if active(name):
            raise NotYet("it runs")

    try:
        until(ended, name, deadline_s, every_s=POLL_S)
    except DeadlineError as err:
        stop(name)
        raise Failure("timeout", str(err)) from err
    result = _read(folder / "result.json")
    if result is None:
        raise Failure("other", f"{name} was ended before it was done: journalctl --unit={name} tells why")
    if "error" in result:
        raise Failure(result.get("kind", "other"), result["error"])
    return result


def _read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def active(name):
    """Whether the unit is there, running or ending."""
    done = subprocess.run(
        ["systemctl", "show", "--property=ActiveState", "--value", f"{name}.service"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.stdout.strip() in ("active", "activating", "deactivating", "reloading")


def reset(name):
    """Forget that it failed: a unit that is remembered can't be begun again."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(["systemctl", "reset-failed", f"{name}.service"], capture_output=True, timeout=30, check=False)


def stop(name):
    """End it with all its processes; nothing happens if it doesn't run."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(["systemctl", "stop", f"{name}.service"], capture_output=True, timeout=STOP_S + 30, check=False)


def sweep(name, folders, base=FOLDER):
    """Remove what a dead one left: after a reboot nobody else does.

    Raises:
        Failure: ``busy``: it isn't dead.
    """
    if active(name):
        raise Failure("busy", f"{name} runs already on this node: {words(_read(Path(base) / name / 'job.json'))}")
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["FOLDER", "active", "command", "start", "stop", "sweep", "wait"]
