"""What ends a lasting fault whatever happens to us: a timer of systemd on the node itself, armed before the fault.

Also strikes a moment later, for faults that would cut off the answer to whoever asked for them.

Source: systemd-run(1), ``--on-active``.
"""

import subprocess
import time

from saltroni.faults import FaultError

#: Enough for an answer to reach the caller by way of the master (seconds).
ANSWER_S = 1.0


def run(*command, check=True, timeout_s=20):
    """Run a program; returns what it printed.

    Raises:
        FaultError: it failed (only with ``check``), or there is none, or it took too long.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as err:
        raise FaultError(f"{command[0]}: {err}") from err
    if check and done.returncode:
        raise FaultError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def unit(fault):
    """Name of the fault's healer."""
    return "saltroni-heal-" + fault.replace("_", "-")


def arm(fault, deadline_s, *command):
    """Have ``command`` run after ``deadline_s`` seconds. It must not need Salt, and be harmless when there is no fault.

    Returns:
        a sentence for the fault's ``heals_by``.

    Raises:
        FaultError: systemd doesn't wait for it: then nothing may be broken.
    """
    name = unit(fault)
    disarm(fault)  # of an earlier fault that was healed by hand
    _timer(name, deadline_s, command)
    run("systemctl", "is-active", "--quiet", f"{name}.timer")
    return f"timer {name} on this node after {float(deadline_s):g} s"


def disarm(fault):
    """Take the timer away; harmless when there is none."""
    run("systemctl", "stop", f"{unit(fault)}.timer", check=False)
    run("systemctl", "reset-failed", f"{unit(fault)}.service", check=False)


def armed(fault):
    """Whether the timer waits."""
    return run("systemctl", "is-active", f"{unit(fault)}.timer", check=False).strip() == "active"


def strike_soon(fault, *command, delay_s=ANSWER_S):
    """Run ``command`` in a moment, without us; returns when that will be (this node's clock)."""
    name = "saltroni-strike-" + fault.replace("_", "-")
    run("systemctl", "stop", f"{name}.timer", check=False)
    run("systemctl", "reset-failed", f"{name}.service", check=False)
    at = time.time() + delay_s
    _timer(name, delay_s, command)
    return at


def call_off(fault):
    """Don't strike; harmless when nothing is about to."""
    run("systemctl", "stop", f"saltroni-strike-{fault.replace('_', '-')}.timer", check=False)


def _timer(name, after_s, command):
    run(
        "systemd-run", f"--unit={name}", "--collect", "--quiet", f"--on-active={float(after_s):g}s",
        "--timer-property=AccuracySec=10ms", *command,
    )  # fmt: skip
