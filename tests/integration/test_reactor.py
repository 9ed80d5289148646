"""From a minion's event to REPORT.md: real master, real minion, the tree's own reactor and runner."""

import json
import time

import pytest

DEADLINE_S = 60


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


def send(call, tag, data):
    assert call.run("event.send", tag, json.dumps(data, ensure_ascii=False)).returncode == 0


def drill(**more):
    return {"verdict": "passed", "fault": "postmaster_killed", "time": "2099-01-01T00:00:00+00:00", **more}


def test_an_event_of_a_node_ends_in_the_report(call, report, run):
    data = drill(id="one", drill="one", old_leader="pg1", new_leader="pg2", outage_s=2.75, lost=0, acknowledged=4321)
    data["what"] = "a | pipe, a {{ brace }}, \"quotes\", a 'tick', an emoji \U0001f600 and a\nnew line: - {x: %}"
    for _ in range(2):
        send(call, "saltroni/trial/drill/finished", data)
    text = report("pg1 before, pg2 after", "0 of 4,321 acknowledged rows were lost")
    assert "a \\| pipe, a {{ brace }}, \"quotes\", a 'tick', an emoji \U0001f600 and a new line: - {x: %}" in text
    assert "| postmaster\\_killed | 1 | 1 | 2.75 s |" in text
    events = run.run("report.show").data
    assert sum("pg1/one" in line for line in events) == 1


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


def test_what_is_none_of_ours_leaves_no_trace(call, run, report):
    for tag, data in (
        ("saltroni/other/drill/finished", drill(id="stray")),
        ("saltroni/trial/problem/noted", {"id": "stray", "title": "stray"}),
        ("saltroni/trial/strange", {"id": "stray"}),
        ("saltroni/trial/drill/finished", drill(id="last", drill="last", new_leader="the last one")),
    ):
        send(call, tag, data)
    report("the last one")
    assert not [line for line in run.run("report.show").data if "stray" in line]


def test_a_person_notes_a_problem_and_the_store_is_whole(run, report):
    noted = run.run("report.problem", "No route", "ping failed", solution="mended the bridge")
    assert noted.returncode == 0
    report("No route", "**Solved:** mended the bridge.")
    told = run.run("report.verify").data["trial"]
    assert told["ok"] is True
    assert told["unreadable"] == []
    assert run.run("report.write").data["trial"]["events"] == told["events"]
    wrong = run.run("report.explain", "P-000000", "nothing")
    assert "there is no problem P-000000" in wrong.stdout + wrong.stderr


def test_a_burst_is_recorded_completely(call, run, report, states):
    module = states / "_modules"
    module.mkdir(exist_ok=True)
    (module / "burst.py").write_text(
        "def send(number):\n"
        "    for one in range(number):\n"
        "        __salt__['event.send']('saltroni/trial/burst/sent', {'id': f'burst-{one}'})\n"
        "    return number\n",
        encoding="utf-8",
    )
    assert call.run("saltutil.sync_modules").returncode == 0
    assert call.run("burst.send", 100).returncode == 0
    end = time.monotonic() + DEADLINE_S
    while sum("burst-" in line for line in run.run("report.show").data) < 100:
        assert time.monotonic() < end
    assert sum("burst-" in line for line in run.run("report.show").data) == 100


def test_a_run_that_the_reactor_missed_is_found_in_the_job_cache(call, run, folder, states):
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
