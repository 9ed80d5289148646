"""Suites, rounds, records, logs and schedules of drills, without a cluster."""

import io
import json

import pytest

from saltroni.drill import busy, errand, logs, ready, record, rounds, schedule, shelf, suite, sweeper, table
from saltroni.pillar import model

KNOWN = ["etcd_lost", "node_lost", "patroni_frozen", "postmaster_killed"]


def drill(outage_s=1.0, verdict="passed", **more):
    """A drill's result, as far as it is told on."""
    return {
        "drill": "d", "verdict": verdict, "reasons": [] if verdict == "passed" else ["writes were out too long"],
        "old_leader": "pg1", "new_leader": "pg2", "outage_s": outage_s, "bound_s": 2.65, "acknowledged": 100, "lost": 0,
        "unknown": {"present": 1, "absent": 0}, "time_to_whole_s": 7.0, "phases": {}, "settings": {}, **more,
    }  # fmt: skip


# which faults


def test_faults_are_chosen_by_name_or_all_but_some():
    assert suite.chosen(KNOWN) == KNOWN
    assert suite.chosen(KNOWN, "all", "etcd_lost, node_lost") == ["patroni_frozen", "postmaster_killed"]
    assert suite.chosen(KNOWN, "postmaster_killed,etcd_lost,postmaster_killed") == ["postmaster_killed", "etcd_lost"]
    assert suite.chosen(KNOWN, ["node_lost"]) == ["node_lost"]


@pytest.mark.parametrize(("faults", "exclude", "words"), [
    ("earthquake", "", "no fault is called earthquake: there are etcd_lost"),
    ("all", "earthquake", "no fault is called earthquake"),
    ("node_lost", "node_lost", "no fault is left"),
])  # fmt: skip
def test_a_suite_of_faults_that_there_are_not_is_refused(faults, exclude, words):
    with pytest.raises(ValueError, match=words):
        suite.chosen(KNOWN, faults, exclude)


# rounds


def test_rounds_together_have_least_median_and_most():
    found = rounds.summary([drill(0.8), drill(2.0, lost=2), drill(1.1), {"verdict": "failed"}])
    assert found["outage_s"] == {"least": 0.8, "median": 1.1, "most": 2.0}
    assert (found["rounds"], found["acknowledged"], found["lost"], found["unknown"]) == (4, 300, 2, 3)
    assert rounds.summary([{"verdict": "failed"}])["outage_s"] is None


# a suite against hands that answer as a cluster would


class World:
    """Answers of a cluster; what was kept and shown is remembered."""

    def __init__(self, tmp_path=None, results=None, unable=(), whole_after=0):
        self.results = {name: list(answers) for name, answers in (results or {}).items()}
        self.unable, self.whole_after = unable, whole_after
        self.jobs, self.kept, self.shown, self.drills, self.now = {}, [], [], [], 0.0
        self.killed_at = None

    def hands(self):
        return suite.Hands(
            begin=self.begin, await_=self.answer, keep=lambda state: self.kept.append(json.dumps(state)),
            show=self.shown.append, now=lambda: "2026-11-25T00:00:00", clock=lambda: self.now, sleep=self.sleep,
        )  # fmt: skip

    def sleep(self, seconds):
        self.now += seconds

    def begin(self, node, function, arguments):
        job = str(len(self.jobs))
        self.jobs[job] = (function, arguments)
        if function == "patroni.failover_test" and not arguments.get("dry_run"):
            self.drills.append((node, arguments["fault"]))
        return job

    def answer(self, node, job, what, deadline_s):
        function, arguments = self.jobs[job]
        if function == "patroni.drill_ready":
            self.whole_after -= 1
            whole = self.whole_after < 0
            return {"whole": whole, "drill": None, "reasons": [] if whole else ["pg3 is behind"]}
        fault = arguments["fault"]
        if arguments.get("dry_run"):
            if fault in self.unable:
                return {"able": False, "reasons": [f"{fault} can't be made on pg1: no device"]}
            return {"able": True, "lasts_s": 0, "bound_s": 2.65}
        if self.killed_at == len(self.drills):
            raise KeyboardInterrupt
        return self.results.get(fault, [drill()] * 9).pop(0) if fault in self.results else drill()


@pytest.fixture
def cluster(settings):
    return model.build(settings)


def begun(faults, count=1):
    return suite.new("20261125T000000Z", "demo", faults, count, None, "2026-11-25T00:00:00")


def test_every_fault_is_done_its_rounds_on_a_load_balancer(cluster):
    world = World(whole_after=2)
    state = suite.run(begun(["node_lost", "etcd_lost"], 2), cluster, world.hands())
    assert (state["verdict"], state["running"]) == ("passed", None)
    assert world.drills == [("lb1", "node_lost")] * 2 + [("lb1", "etcd_lost")] * 2
    assert state["done"]["node_lost"]["rounds"] == 2
    assert len(world.shown) == 2


def test_a_broken_promise_stops_the_suite_and_is_never_taken_back(cluster):
    world = World(results={"node_lost": [drill(9.0, "failed")]})
    state = suite.run(begun(["etcd_lost", "node_lost", "patroni_frozen"], 3), cluster, world.hands())
    assert state["verdict"] == "failed"
    assert "node_lost: writes were out too long" in state["reasons"]
    assert world.drills.count(("lb1", "node_lost")) == 1
    assert "patroni_frozen" not in state["done"]
    again = suite.run(json.loads(world.kept[-1]), cluster, world.hands())
    assert again["done"]["patroni_frozen"]["verdict"] == "passed"
    assert again["verdict"] == "failed"


def test_what_cannot_be_made_here_is_skipped_with_the_reason_and_not_passed(cluster):
    state = suite.run(begun(["node_lost", "etcd_lost"]), cluster, World(unable=("node_lost",)).hands())
    assert state["done"]["node_lost"] == {"skipped": "node_lost can't be made on pg1: no device"}
    assert table.totals(state)["faults"] == 1
    text = "\n".join(table.table(state))
    assert "skipped node_lost: node_lost can't be made on pg1: no device" in text
    assert "1 faults, 1 drills, 1 skipped" in text


def test_a_suite_that_was_killed_takes_its_running_drill_up_again(cluster):
    world = World()
    world.killed_at = 3  # while the first round of the second fault runs
    with pytest.raises(KeyboardInterrupt):
        suite.run(begun(["etcd_lost", "node_lost"], 2), cluster, world.hands())
    left = json.loads(world.kept[-1])
    assert list(left["done"]) == ["etcd_lost"]
    job = left["running"]["job"]
    assert world.jobs[job] == ("patroni.failover_test", {"fault": "node_lost"})
    world.killed_at = None
    state = suite.run(left, cluster, world.hands())
    assert state["verdict"] == "passed"
    assert state["done"]["node_lost"]["rounds"] == 2
    # the round that ran was asked for its answer, not made again
    assert len(world.drills) == 4


def test_a_drill_that_is_refused_stops_the_suite_without_a_broken_promise(cluster):
    world = World(results={"node_lost": ["ERROR: the drill was refused: the leader changed"]})
    state = suite.run(begun(["node_lost"]), cluster, world.hands())
    assert state["verdict"] == "stopped"
    assert "the leader changed" in state["reasons"][0]
    assert state["done"] == {}


def test_a_cluster_that_never_becomes_whole_stops_the_suite(cluster):
    state = suite.run(begun(["node_lost"]), cluster, World(whole_after=10**6).hands())
    assert state["verdict"] == "stopped"
    assert "pg3 is behind" in state["reasons"][0]


def test_no_fault_begins_after_the_window(cluster):
    world = World()
    state = suite.run(begun(["node_lost"]), cluster, world.hands(), until_clock=-1)
    assert (state["verdict"], world.drills) == ("stopped", [])


def test_a_line_tells_what_a_reader_of_a_terminal_wants():
    row = {
        "verdict": "passed", "reasons": [], "took_s": 41.2, "each": [drill(), drill(new_leader="pg3")],
        **rounds.summary([drill(0.8), drill(1.2)]),
    }  # fmt: skip
    assert table.line("node_lost", row, 3725) == (
        "[1:02:05] node_lost: pg1 -> pg2 -> pg3, writes out 0.80 / 1.00 / 1.20 s of 2.65 s promised, "
        "0 of 200 rows lost, whole after 7.00 s, 2 rounds in 41 s, passed"
    )


# waiting for a job


def test_an_answer_that_comes_while_the_minion_is_asked_counts():
    answers = iter([None, None, (7,), (7,)])
    clock = iter(range(0, 10000, 30))
    assert errand.wait(lambda: next(answers), lambda: False, "it", 60, lambda: next(clock)) == 7


def test_a_job_that_the_minion_does_not_run_any_more_is_lost():
    clock = iter(range(0, 10000, 30))
    with pytest.raises(errand.Lost, match="ended without an answer"):
        errand.wait(lambda: None, lambda: False, "the drill", 60, lambda: next(clock))


# the shelf


def test_suites_on_disk(tmp_path):
    kept = shelf.Shelf(tmp_path)
    with pytest.raises(shelf.ShelfError, match="no suite has been begun"):
        kept.unfinished()
    state = begun(["node_lost"])
    kept.keep(state)
    assert kept.unfinished() == state
    state["done"]["node_lost"] = {"skipped": "why"}
    kept.keep(state)
    with pytest.raises(shelf.ShelfError, match="is over"):
        kept.unfinished()
    kept.path("20261126T000000Z").write_text("{", encoding="utf-8")
    with pytest.raises(shelf.ShelfError, match="20261126T000000Z"):
        kept.latest()


def test_one_suite_at_a_time(tmp_path):
    kept = shelf.Shelf(tmp_path)
    with kept.alone(), pytest.raises(shelf.ShelfError, match="runs in this cluster already"), kept.alone():
        pass
    with kept.alone():
        pass


# records and logs


def test_the_newest_drills_are_kept_and_killed_ones_for_themselves(tmp_path):
    import os

    for number in range(5):
        folder = tmp_path / f"ended{number}"
        folder.mkdir()
        (folder / "result.json").write_text("{}", encoding="utf-8")
        os.utime(folder, (number, number))
    for number in range(3):
        folder = tmp_path / f"killed{number}"
        folder.mkdir()
        os.utime(folder, (number, number))
    assert sorted(record.prune(tmp_path, kept=3)) == ["ended0", "ended1"]
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [
        "ended2", "ended3", "ended4", "killed0", "killed1", "killed2",
    ]  # fmt: skip


def test_a_record_has_every_moment_relative_to_the_fault(tmp_path):
    seen = {
        "leader": [(10.0, "pg1"), (12.5, None)], "promoted": [(13.0, "pg2")], "servers": [(10.0, ["pg1"])],
        "followed": [], "lag": [(11.0, {"pg2": 8})],
    }  # fmt: skip
    told = {"pg1": {"text": "words\n", "cut_bytes": 7}, "pg2": {"error": "silent"}}
    record.keep(tmp_path, {"verdict": "passed"}, seen, 12.0, told)
    kept = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert kept["seen"]["leader"] == [[-2.0, "pg1"], [0.5, None]]
    assert kept["lag"] == [[-1.0, {"pg2": 8}]]
    assert kept["logs"] == {"pg1": {"file": "logs/pg1.log", "cut_bytes": 7}, "pg2": {"error": "silent"}}
    assert (tmp_path / "logs" / "pg1.log").read_text(encoding="utf-8") == "words\n"


def test_a_long_log_keeps_its_beginning_and_end_and_says_what_is_missing():
    lines = [b"%06d\n" % number for number in range(1000)]
    told = logs.bounded(io.BytesIO(b"".join(lines)), most_bytes=1000)
    assert told["text"].startswith("000000\n")
    assert told["text"].endswith("000999\n")
    assert f"-- {told['cut_bytes']} bytes are left out here --\n" in told["text"]
    kept = [line for line in told["text"].splitlines() if not line.startswith("--")]
    assert all(len(line) == 6 for line in kept)
    assert len(kept) * 7 + told["cut_bytes"] == 7000
    assert logs.bounded(io.BytesIO(b"short\n"), most_bytes=1000) == {"text": "short\n", "cut_bytes": 0}


@pytest.mark.parametrize("window", [(10, 10), (10, 5), (0, 7200)])
def test_logs_of_a_window_that_makes_no_sense_are_refused(window):
    with pytest.raises(logs.LogsError, match="window"):
        logs.command(*window)


# whether one may begin


class Etcd:
    """Answers ranges as etcd's gateway does."""

    def __init__(self, **keys):
        self.keys = keys

    def call(self, path, body):
        from saltroni.etcd import gateway

        assert path == "/v3/kv/range"
        value = self.keys.get(gateway.decode(body["key"]).rsplit("/", 1)[1])
        return {"kvs": [{"value": gateway.encode(value)}]} if value else {}


def test_a_backup_is_seen_by_its_key(cluster):
    assert busy.backup_key(cluster) == "/saltroni-drill/demo/backup"
    told = dict(cluster, secrets={"etcd_drill": "x"})
    assert busy.busy(told, Etcd()) is None
    assert busy.busy(told, Etcd(backup="pg2 since noon")) == "a backup runs: pg2 since noon"
    assert busy.busy(told, Etcd(lock="lb1")) == "a drill runs: lb1"


def test_ready_tells_every_reason(cluster):
    told = dict(cluster, secrets={"etcd_drill": "x"})
    well = {"whole": True, "leader": "pg1", "reasons": []}
    assert ready.look(told, well, lambda model: {"backup": None, "drill": None})["ready"]
    paused = {"whole": False, "leader": "pg1", "reasons": ["the cluster is paused"]}
    said = ready.look(dict(told, drills={"allowed": False}), paused, lambda model: {"backup": "pg2", "drill": None})
    assert not said["ready"]
    assert len(said["reasons"]) == 4
    assert schedule.refusal(said, "lb1") == said["reasons"]
    assert "can't be asked" in schedule.refusal("no answer", "lb1")[0]


def test_a_window_goes_on_with_what_the_last_one_had_no_time_for():
    state = {**begun(["node_lost", "etcd_lost"]), "scheduled": True, "verdict": "stopped"}
    assert schedule.resumable(state)
    assert not schedule.resumable({**state, "verdict": "failed"})
    assert not schedule.resumable({**state, "scheduled": False})
    assert not schedule.resumable({**state, "done": {"node_lost": {}, "etcd_lost": {}}})
    assert not schedule.resumable(None)


def test_times_of_systemd():
    assert schedule.moment("@1764000000") == "2025-11-24T16:00:00+00:00"
    assert schedule.moment("") is None
    assert schedule.moment("n/a") is None


# the sweeper


def test_the_sweeper_is_told_no_secret_that_it_does_not_need(cluster):
    full = dict(cluster, self={"name": "pg1", "roles": ["patroni"]})
    full["secrets"] = {"drill": "d", "etcd_drill": "e", "superuser": "s", "restapi": "r", "users": {"app": "a"}}
    assert sweeper.needed(full)["secrets"] == {"drill": "d", "etcd_drill": "e"}
