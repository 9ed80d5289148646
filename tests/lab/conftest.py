"""The product on real nodes. The tests of this folder run in the order of their files, on one lab that is made from
nothing by the command that a newcomer types."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))

from saltroni.pillar import model  # noqa: E402

SETTINGS = yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]
MASTER = "salt"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


class Lab:
    """The lab's nodes, as an operator reaches them."""

    model = model.build(SETTINGS)

    def run(self, node, *command, check=True, timeout_s=600, stdin=None):
        """Run a program on a node as root; its output in text."""
        done = subprocess.run(
            [str(ROOT / "lab" / "run"), node, *command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if check and done.returncode != 0:
            pytest.fail(
                f"{node}: {' '.join(command)} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def script(self, name, *arguments, timeout_s=900):
        """Run one of the lab's own scripts on this host, letting it print."""
        subprocess.run([str(ROOT / "lab" / name), *arguments], check=True, timeout=timeout_s)

    def call(self, node, function, *arguments, check=True, timeout_s=600):
        """``salt-call`` on a node: (its answer, its exit code)."""
        done = self.run(
            node,
            "salt-call",
            "--out=json",
            "--retcode-passthrough",
            function,
            *arguments,
            check=False,
            timeout_s=timeout_s,
        )
        if check and done.returncode != 0:
            pytest.fail(
                f"{node}: {function} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        try:
            return json.loads(done.stdout)["local"], done.returncode
        except ValueError:
            return done.stdout + done.stderr, done.returncode

    def salt(self, target, *arguments, timeout_s=900, options=()):
        """``salt`` on the master: {node: answer}."""
        done = self.run(
            MASTER, "salt", "--out=json", "--static", *options, target, *arguments, check=False, timeout_s=timeout_s
        )
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout)

    def apply(self, target="*", options=(), **pillar):
        """Apply the state: {node: {state id: result}}."""
        arguments = [f"pillar={json.dumps(pillar)}"] if pillar else []
        return self.salt(target, "state.apply", *arguments, options=options)

    def processes(self):
        """Pid and start of each process that no state may restart: {node: {what: (pid, start)}}."""
        look = "; ".join(
            f"systemctl show --property=MainPID,ExecMainStartTimestampMonotonic --value {unit} | paste -sd' '"
            for unit in ("etcd", "patroni")
        )
        data = f"/var/lib/postgresql/{self.model['postgresql']['version']}/{self.model['cluster']}/postmaster.pid"
        look += f"; head -n 3 {data} 2>/dev/null | paste -sd' '"
        return {node: self.run(node, "sh", "-c", look).stdout for node in self.model["nodes"]}

    def address(self, node):
        return self.model["nodes"][node]["address"]


@pytest.fixture(scope="session")
def lab():
    """A lab made by ``make lab``; with SALTRONI_LAB=as-it-is the one that runs."""
    made = Lab()
    if os.environ.get("SALTRONI_LAB") == "as-it-is":
        return made
    subprocess.run(["make", "--no-print-directory", "-C", str(ROOT), "lab"], check=True, timeout=2400)
    return made


@pytest.fixture(scope="session")
def authority(lab, tmp_path_factory):
    """The cluster's CA on this host."""
    path = tmp_path_factory.mktemp("ca") / "ca.crt"
    path.write_text(lab.run("pg1", "cat", "/etc/saltroni/pki/ca.crt").stdout, encoding="ascii")
    return path


@pytest.fixture(scope="session")
def secrets(lab):
    """The cluster's secrets, read on the master as its administrator may."""
    return json.loads(lab.run(MASTER, "cat", f"/var/lib/saltroni/{lab.model['cluster']}/secrets.json").stdout)


def failures(answers):
    """States that failed, and nodes that gave no states: sentences."""
    found = []
    for node, states in answers.items():
        if not isinstance(states, dict):
            found.append(f"{node}: {states}")
            continue
        found += [f"{node}: {state['__id__']}: {state['comment']}" for state in states.values() if not state["result"]]
    return found


def changes(answers):
    """States that changed something: sentences."""
    return [
        f"{node}: {state['__id__']}: {state['changes']}"
        for node, states in answers.items()
        for state in states.values()
        if state["changes"]
    ]


def until(check, what, deadline_s, every_s=0.5, why=lambda: ""):
    """What ``check`` gives as soon as it is true; ``why`` tells what was seen instead."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(every_s)
    return pytest.fail(f"waited {deadline_s} s for {what}{why()}")


def whole(lab, deadline_s):
    """Wait until health says that the cluster is whole."""

    said = []

    def looked():
        health, _ = lab.call("lb1", "patroni.health", check=False)
        said[:] = health["reasons"] if isinstance(health, dict) else [health]
        return isinstance(health, dict) and health["whole"]

    until(looked, "the cluster to be whole", deadline_s, why=lambda: f"; health says: {said}")
