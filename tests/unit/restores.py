"""A whole-cluster restore without a cluster: facts of nodes, and a world that remembers what was done in it."""

import json

from saltroni.backup import target
from saltroni.restore import course, plan

ID = "20261125T101112Z"
NODES = ["pg1", "pg2", "pg3"]
GIB = 2**30


def fact(**change):
    told = {
        "exists": True, "control": {"state": "in production", "timeline": 2, "system_id": "7", "end": [2, 100]},
        "running": {}, "held": False, "kept": {}, "staged": {}, "mark": {}, "free_bytes": 9 * GIB, "wal_free_bytes": 2 * GIB,
        "data_bytes": 3 * GIB, "busy": False,
    }  # fmt: skip
    return {**told, **change}


def view(**change):
    rows = {name: {"timeline": 2, "state": "streaming"} for name in NODES}
    return {"leader": "pg2", "paused": False, "members": rows, **change}


def survey(**change):
    told = {
        "tool": "walg", "prefix": "s3://b/demo/17", "owner": {"system_identifier": "7", "cluster": "demo"},
        "own_owner": {"system_identifier": "7", "cluster": "demo"}, "highest": 2,
        "windows": [{"timeline": 2, "from": "f", "until": None, "present": True,
                     "gaps": [{"start": "s", "end": None, "first": "0A", "last": "0B"}]}],
        "reasons": [], "backup": {"id": "base_1", "finished": "t", "kind": "full", "size": 4 * GIB, "system_id": 7},
        "timeline": 2, "next_timeline": 3, "until": "u",
    }  # fmt: skip
    return {**told, **change}


def make(cluster, facts=None, seen=None, said=None, asked=None, **chosen):
    facts = {name: fact() for name in NODES} | (facts or {})
    return plan.make(
        cluster, ID, target.parse(asked or {"lsn": "0/5000060"}), plan.options(chosen), view() if seen is None else seen,
        facts, said or survey(),
    )  # fmt: skip


class Killed(BaseException):
    """The master's process is."""


class World:
    """Nodes that remember what they did; a job goes on when the runner is killed."""

    def __init__(self, kill_at=None):
        self.jobs, self.done, self.kept, self.shown = {}, [], None, []
        self.calls, self.kill_at, self.fail = 0, kill_at, {}

    def _count(self):
        self.calls += 1
        if self.kill_at is not None and self.calls == self.kill_at:
            self.kill_at = None
            raise Killed

    def begin(self, node, function, arguments):
        self._count()
        short = function.removeprefix("patroni_restore.")
        job = f"job{len(self.jobs)}"
        self.done.append((node, short))
        self.jobs[job] = self.answer(node, short)
        self._count()
        return job

    def answer(self, node, function):
        if function in self.fail:
            return self.fail[function]
        control = {"state": "shut down", "end": [2, 100 if node == "pg2" else 90], "system_id": "7"}
        return {
            "stop": {"stopped": True, "control": control},
            "push": {"pushed": []},
            "promote": {"timeline": 3, "system_id": 7, "last_commit": "t"},
            "lead_again": {"timeline": 4, "system_id": 7},
            "swap": {"kept": ["x"]},
            "put_back": {"has_data": True, "control": control},
            "start": {"standing": "ok", "timeline": 3},
            "backup": {"verdict": "passed", "backup": "base_2"},
            "forget": {"removed": ["y"]},
        }.get(function, {"ok": True})

    def await_(self, node, job, what, deadline_s):
        self._count()
        return self.jobs[job]

    def keep(self, state):
        self.kept = json.loads(json.dumps(state))

    def hands(self):
        return course.Hands(self.begin, self.await_, self.keep, self.shown.append, lambda: "now")

    def course(self):
        return course.Course(self.kept, self.hands())
