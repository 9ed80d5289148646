"""What the scripts here share: the lab's nodes, calls on them, and what many rounds together say.

Importing it puts ``_utils`` on the path.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "_utils"))


def nodes(role):
    """Names of the lab's nodes with ``role``."""
    shown = subprocess.run(["ruby", ROOT / "lab" / "nodes.rb"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in shown.splitlines() if role in line.split()[3].split(",")]


def _ran(node, command, timeout_s, stdin=None):
    return subprocess.run(
        [ROOT / "lab" / "run", node, *command],
        capture_output=True, text=True, timeout=timeout_s, check=False, input=stdin,
    )  # fmt: skip


def on(node, *command, check=True, timeout_s=600, stdin=None):
    """Run a command on a node; what it printed. With ``check``, a code other than 0 ends this script."""
    done = _ran(node, command, timeout_s, stdin)
    if check and done.returncode:
        sys.exit(f"{node}: {' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def call(node, *words, timeout_s=600):
    """What a function of Salt gives on a node, whatever its exit code; what it printed for an error if it gives nothing."""
    done = _ran(node, ["salt-call", "--out=json", *words], timeout_s)
    return json.loads(done.stdout)["local"] if done.stdout.strip() else done.stderr.strip()


def spread(values):
    """Least, median and most."""
    return min(values), statistics.median(values), max(values)
