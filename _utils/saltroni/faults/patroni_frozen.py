"""Patroni's main process stops and keeps everything it holds, as on a machine that swaps or a stalled disk.

The lease runs out while PostgreSQL still writes. What ends that is HAProxy (it gets no answer) and a watchdog.

Source: systemd-run(1), ``--on-active``; systemctl(1), ``kill --kill-whom=main``.
"""

import signal
import subprocess
import time

from saltroni import processes
from saltroni.faults import FaultError

SUMMARY = "SIGSTOP of Patroni, PostgreSQL runs on"
ROLE = "patroni"
HEALER = "saltroni-heal-patroni-frozen"


def _continue(target):
    return ["systemctl", "kill", "--kill-whom=main", "--signal=SIGCONT", target.unit]


def _run(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as err:
        raise FaultError(f"{command[0]}: {err}") from err
    if done.returncode:
        raise FaultError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")


def inject(target, deadline_s):
    """Freeze Patroni; a timer of systemd thaws it after ``deadline_s`` seconds, whatever happens to us."""

    def main():
        return processes.main_pid(target.unit)

    pid = main()
    if pid is None:
        raise FaultError(f"{target.unit} doesn't run on this node")
    if active(target):
        raise FaultError(f"{target.unit} is frozen already: fault.heal patroni_frozen")
    # a timer of an earlier fault that was healed by hand
    subprocess.run(["systemctl", "stop", f"{HEALER}.timer"], capture_output=True, timeout=20, check=False)
    _run(
        ["systemd-run", f"--unit={HEALER}", "--collect", f"--on-active={float(deadline_s):g}s"]
        + ["--timer-property=AccuracySec=100ms", *_continue(target)]
    )
    _run(["systemctl", "is-active", "--quiet", f"{HEALER}.timer"])
    try:
        processes.send(pid, signal.SIGSTOP, main)
    except processes.ProcessError as err:
        raise FaultError(str(err)) from err
    return {
        "pid": pid,
        "at_unix": time.time(),
        "heals_by": f"timer {HEALER} on this node after {float(deadline_s):g} s",
    }


def heal(target):
    """Thaw Patroni and take the timer away."""
    _run(_continue(target))
    subprocess.run(["systemctl", "stop", f"{HEALER}.timer"], capture_output=True, timeout=20, check=False)
    return {"running": not active(target)}


def active(target):
    """Whether Patroni is stopped (state ``T``)."""
    pid = processes.main_pid(target.unit)
    return pid is not None and processes.state(pid) == "T"


def visible_after_s(model):
    """The lease must run out first; the others notice within a round, and ask the silent one for 2 s."""
    return float(model["timings"]["ttl_s"] + 2 * model["timings"]["loop_wait_s"] + 3)
