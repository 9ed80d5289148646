"""Drills on a schedule: what the pillar says, when systemd will do it, and whether it would be done now.

The pillar is the truth (``saltroni:drills:schedule``); the master's state makes a timer of it.

Source: systemd.timer(5), ``OnCalendar``, ``Persistent``; systemctl(1), ``show``.
"""

import subprocess
from datetime import UTC, datetime


def unit(cluster):
    """Name of the timer and of its service."""
    return f"saltroni-drills-{cluster}"


def timer(cluster):
    """What systemd knows of the timer: ``{active, next, last}``, times UTC or None."""
    name = unit(cluster)
    shown = show(f"{name}.timer", "ActiveState", "NextElapseUSecRealtime", "LastTriggerUSec")
    return {
        "active": shown.get("ActiveState") == "active",
        "next": moment(shown.get("NextElapseUSecRealtime")),
        "last": moment(shown.get("LastTriggerUSec")),
    }


def show(name, *properties):
    """``{property: text}`` of a unit; times are seconds since 1970 after an ``@``."""
    command = ["systemctl", "show", "--timestamp=unix", f"--property={','.join(properties)}", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def moment(text):
    """UTC of systemd's ``@1795000000``; None for what isn't a time. Pure."""
    digits = (text or "").removeprefix("@")
    if not digits.isdigit():
        return None
    return datetime.fromtimestamp(int(digits), UTC).isoformat(timespec="seconds")


def refusal(said, node):
    """Why a drill on a schedule would not be begun now; empty if it would. Pure.

    Args:
        said: what ``patroni.drill_ready`` answered on ``node``.
    """
    if not isinstance(said, dict) or "ready" not in said:
        return [f"{node} can't be asked whether the cluster is well: {said}"]
    return list(said["reasons"])


def resumable(state):
    """Whether a window goes on with the suite of the last one: it had no time for all its faults. Pure."""
    return bool(state and state.get("scheduled") and state["verdict"] in (None, "stopped")) and any(
        fault not in state["done"] for fault in state["asked"]["faults"]
    )
