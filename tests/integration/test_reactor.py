"""From a node's event to REPORT.md: real master, real minion, the tree's own reactor, runner, spool and returner."""

import contextlib
import subprocess
import sys
import time

import pytest
from salt.client import Caller
from salt.config import minion_config
from salt.utils import event as bus_of

from saltroni.report import writer
from saltroni.spool import files, mailbox, parcel

DEADLINE_S = 60


@pytest.fixture(autouse=True)
def _nothing_waits(spool):
    """A state run that failed on purpose in the test before waits on the node too, though the reactor has told it."""
    files.acknowledge(spool / name for name in files.waiting(spool))


@pytest.fixture
def call(minion):
    """salt-call on the minion."""
    return minion.salt_call_cli(timeout=120)


@pytest.fixture
def run(master):
    """salt-run on the master."""
    return master.salt_run_cli(timeout=120)


@pytest.fixture
def salt(master, minion):
    """salt on the master, once there is a minion."""
    return master.salt_cli(timeout=120)


@pytest.fixture
def report(folder):
    """Waits until REPORT.md says something, and gives its text."""
    path = folder / "trial" / "REPORT.md"

    def wait_for(*words):
        end = time.monotonic() + DEADLINE_S
        while True:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            missing = [word for word in words if word not in text]
            if not missing:
                return text
            assert time.monotonic() < end, f"after {DEADLINE_S} s REPORT.md lacks {missing}:\n{text}"
            time.sleep(0.2)

    return wait_for


def keep(spool, kind, data):
    files.put(kind, data, data.get("id"), data.get("time"), folder=spool)


def send(call):
    sent = call.run("spool.send")
    assert sent.returncode == 0, sent
    return sent.data


def drill(**more):
    return {"verdict": "passed", "fault": "postmaster_killed", "time": "2099-01-01T00:00:00+00:00", **more}


def shown(run, word):
    return [line for line in run.run("report.show").data if word in line]


def test_an_event_of_a_node_ends_in_the_report_once(call, report, run, spool):
    data = drill(id="one", drill="one", old_leader="pg1", new_leader="pg2", outage_s=2.75, lost=0, acknowledged=4321)
    data["what"] = "a | pipe, a {{ brace }}, \"quotes\", a 'tick', an emoji \U0001f600 and a\nnew line: - {x: %}"
    for _ in range(2):
        keep(spool, "drill/finished", data)
        assert send(call) == {"sent": 1, "refused": {}, "waiting": 0}
    assert not files.waiting(spool)
    text = report("pg1 before, pg2 after", "0 of 4,321 acknowledged rows were lost")
    assert "a \\| pipe, a {{ brace }}, \"quotes\", a 'tick', an emoji \U0001f600 and a new line: - {x: %}" in text
    assert "| postmaster\\_killed | – | 1 | 1 | 2.75 s |" in text
    assert len(shown(run, "pg1/one")) == 1


def test_a_state_run_ends_in_the_report_and_what_failed_is_solved_by_what_succeeds(salt, states, tmp_path, report, run):
    target = tmp_path / "there" / "greeting"
    (states / "trial.sls").write_text(
        f"Greet the world:\n  file.managed:\n    - name: {target}\n    - contents: password=MHcCAQEE\n"
        "Say that it is done:\n  test.nop:\n    - require:\n      - file: Greet the world\n",
        encoding="utf-8",
    )
    assert salt.run("state.apply", "trial", minion_tgt="pg1").returncode != 0
    text = report('"Greet the world" failed (open)', "It held back 1 other state")
    assert "Parent directory not present" in text
    target.parent.mkdir()
    assert salt.run("state.apply", "trial", minion_tgt="pg1").returncode == 0
    text = report("the same state succeeded: wrote ")
    assert '"Greet the world" failed (open)' not in text
    assert salt.run("state.apply", "trial", minion_tgt="pg1").returncode == 0
    text = report("no change")
    assert "MHcCAQEE" not in text
    (problem,) = [
        name for name, told in run.run("report.problems").data.items() if told["title"] == '"Greet the world" failed'
    ]
    assert run.run("report.explain", problem, "The folder was missing, it was made by hand").returncode == 0
    report("**Explanation:** The folder was missing, it was made by hand")


def test_a_run_that_cannot_be_rendered_is_a_problem(salt, states, report):
    (states / "broken.sls").write_text("{% if %}\n", encoding="utf-8")
    salt.run("state.apply", "broken", minion_tgt="pg1")
    report("A state run could not begin (open)", "Rendering SLS")


def test_a_call_on_the_minion_itself_is_recorded_too(call, report, states):
    (states / "small.sls").write_text("Do nothing at all:\n  test.nop: []\n", encoding="utf-8")
    assert call.run("state.apply", "small").returncode == 0
    report("`state.apply small`")


def test_what_a_node_may_not_say_is_refused_and_holds_up_nothing(call, run, report, spool):
    keep(spool, "problem/noted", {"id": "stray", "title": "stray"})
    keep(spool, "drill/finished", drill(id="last", drill="last", new_leader="the last one"))
    done = send(call)
    assert (done["sent"], done["waiting"], list(done["refused"])) == (1, 0, ["stray"])
    report("the last one")
    assert not shown(run, "stray")


def test_nobody_speaks_for_another_node(run, report, master, spool, call):
    """What stands on the bus proves nothing: a minion can put anything there, in anybody's name."""
    jid = "20261124180312123456"
    forged = {
        "cmd": "_return", "id": "etcd1", "jid": jid, "fun": "state.apply", "fun_args": [], "return": ["forged"],
        "retcode": 1,
    }  # fmt: skip
    with bus_of.get_event("master", sock_dir=master.config["sock_dir"], opts=master.config) as bus:
        assert bus.fire_event(forged, f"salt/job/{jid}/ret/etcd1")
    keep(spool, "drill/finished", drill(id="mine", drill="mine", node="etcd1", new_leader="spoken by pg1"))
    send(call)
    report("spoken by pg1")
    time.sleep(6)
    assert [line.split()[2] for line in shown(run, "mine")] == ["pg1"]
    assert not shown(run, "etcd1")


def test_a_state_run_in_another_nodes_name_is_told_by_nobody(salt, call, run, report, states, minion):
    """Salt's master takes a return under whatever ``resource_id`` it carries, and puts it into the job cache.

    It is believed of a node only until that has told a run of its own.
    """
    (states / "own.sls").write_text("Do one's own:\n  test.nop: []\n", encoding="utf-8")
    assert salt.run("state.apply", "own", minion_tgt="pg1").returncode == 0
    send(call)
    report("`state.apply own`")
    forge = (
        "import salt.channel.client, salt.config; "
        f"opts = salt.config.minion_config({minion.config_file!r}); "
        "opts['master_uri'] = f\"tcp://{opts['master']}:{opts['master_port']}\"; "
        "channel = salt.channel.client.ReqChannel.factory(opts); "
        "channel.send({'cmd': '_return', 'id': 'pg1', 'resource_id': %r, 'jid': %r, 'fun': 'state.apply', "
        "'fun_args': ['forged'], 'return': ['forged by pg1'], 'retcode': 1, 'success': False})"
    )
    for name, jid in (("pg1", "20261126010203000001"), ("etcd1", "20261126010203000002")):
        done = subprocess.run([sys.executable, "-c", forge % (name, jid)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    end = time.monotonic() + DEADLINE_S
    while not shown(run, "20261126010203000002"):  # etcd1 has never told one: Salt's word counts
        assert time.monotonic() < end
    assert run.run("report.write").returncode == 0
    assert not shown(run, "20261126010203000001")


def test_only_nodes_of_a_cluster_may_tell_and_nothing_else_may_be_run(call, run):
    stranger = call.run("--id=stranger", "publish.runner", "report.receive", parcel.pack([]))
    assert stranger.data in ({}, None)
    assert call.run("publish.runner", "report.write").data in ({}, None)
    assert "no parcel" in str(call.run("publish.runner", "report.receive", "nonsense"))


def test_a_person_notes_a_problem_and_the_store_is_whole(run, report):
    noted = run.run("report.problem", "No route", "ping failed", solution="mended the bridge")
    assert noted.returncode == 0
    report("No route", "**Solved:** mended the bridge.")
    told = run.run("report.verify").data["trial"]
    assert told["ok"] is False  # nobody answers for Patroni here
    assert (told["silent"], told["waiting"], told["history"]) == (["etcd1", "master1"], {}, None)
    assert told["unreadable"] == []
    assert run.run("report.write").data["trial"]["events"] == told["events"]
    wrong = run.run("report.explain", "P-000000", "nothing")
    assert "there is no problem P-000000" in wrong.stdout + wrong.stderr


def cpu_s(pid):
    """CPU seconds of a process, its children, and those of theirs that ended."""
    import psutil

    whole = 0.0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            whole += spent.user + spent.system + spent.children_user + spent.children_system
    return whole


def idle_share(pid):
    """CPU seconds a second of a master that nobody asks."""
    time.sleep(5)  # what was asked before is over
    began, before = time.monotonic(), cpu_s(pid)
    time.sleep(10)
    return (cpu_s(pid) - before) / (time.monotonic() - began)


def test_a_lone_event_costs_the_master_little(call, spool, master, minion, report, folder):
    """All of the master's processes and all of Salt's own work for it; sent by a process that has begun before.

    The writer of the report is kept away: it writes once for many events, at most a third of the time. What the master does
    anyway is taken off. 50 ms are allowed; a busy machine makes them half as much again, the way by a runner was 340.
    """
    keep(spool, "drill/finished", drill(id="lone", drill="lone", new_leader="lone one"))
    send(call)
    report("lone one")
    node = Caller(mopts=minion_config(minion.config_file)).sminion.functions
    sent = 30
    with writer.alone(folder / "trial"):
        idle = idle_share(master.pid)
        began, before = time.monotonic(), cpu_s(master.pid)
        for number in range(sent):
            keep(spool, "lone/sent", {"id": f"lone-{number}"})
            assert node["spool.send"]()["sent"] == 1
        spent = cpu_s(master.pid) - before - idle * (time.monotonic() - began)
    lone = spent / sent
    print(
        f"a lone event: {lone * 1000:.0f} ms of CPU of 50 allowed on a quiet machine; nothing: {idle * 1000:.0f} ms a second"
    )
    assert lone < 0.12


def test_one_event_of_many_costs_the_master_little(call, spool, master, report):
    """The same, where many wait."""
    keep(spool, "drill/finished", drill(id="before", drill="before", new_leader="before all"))
    send(call)
    report("before all")
    idle = idle_share(master.pid)
    began, before, took = time.monotonic(), cpu_s(master.pid), 200
    for number in range(took):
        keep(spool, "burst/sent", {"id": f"cheap-{number}"})
    assert send(call)["sent"] == took
    spent = cpu_s(master.pid) - before - idle * (time.monotonic() - began)
    print(f"{took} events together: {spent * 1000 / took:.1f} ms of CPU each")
    assert spent / took < 0.05


def test_a_burst_is_recorded_completely(call, run, report, spool):
    for number in range(1200):
        keep(spool, "burst/sent", {"id": f"burst-{number}"})
    assert send(call)["sent"] == 1200
    assert len(shown(run, "burst-")) == 1200


def test_by_the_mine_and_answered_there(call, spool, run):
    """The way of every event; a call of the master's runner is for masters whose reactor doesn't answer."""
    keep(spool, "mine/sent", {"id": "by-the-mine"})
    send(call)
    answer = call.run("mine.get", "pg1", mailbox.NAME, "list").data["pg1"]
    assert answer["recorded"] == ["by-the-mine"]
    assert len(shown(run, "by-the-mine")) == 1
    assert call.run("--id=stranger", "mine.get", "pg1", mailbox.NAME, "list").data in ({}, None)


def test_a_failed_run_is_kept_by_the_node_and_told_once(call, run, spool, states):
    (states / "bad.sls").write_text("Fail on purpose:\n  test.fail_without_changes: []\n", encoding="utf-8")
    assert call.run("state.apply", "bad").returncode != 0
    assert len(files.waiting(spool)) == 1
    assert send(call)["sent"] == 1
    end = time.monotonic() + DEADLINE_S
    while len(shown(run, "states/applied")) < 2:
        assert time.monotonic() < end
    (problem,) = [told for told in run.run("report.problems").data.values() if "Fail on purpose" in told["title"]]
    assert problem["times"] == 1


def test_a_first_run_that_the_reactor_missed_is_found_in_the_job_cache(call, run, folder, states):
    """First, by the master: as of a node whose returner wasn't in force yet."""
    (folder / "trial" / "tellers" / "pg1").unlink(missing_ok=True)
    (states / "quiet.sls").write_text("Be quiet:\n  test.nop: []\n", encoding="utf-8")
    marker = folder / "trial" / "cluster.json"
    hidden = marker.rename(marker.with_suffix(".hidden"))
    try:
        assert call.run("state.apply", "quiet", "pillar={}").returncode == 0
    finally:
        hidden.rename(marker)
    before = run.run("report.verify").data["trial"]["events"]
    assert run.run("report.write").data["trial"]["events"] > before - 1
    assert "`state.apply quiet`" in (folder / "trial" / "REPORT.md").read_text(encoding="utf-8")


def test_the_minion_sends_nothing_by_itself_here(call):
    """The pillar's schedule would take events out of the spool under a test's hands."""
    listed = call.run("schedule.list", "show_disabled=True", "return_yaml=False").data
    assert (listed["saltroni"]["function"], listed["saltroni"]["enabled"]) == ("spool.attend", False)
