"""``orch.restore`` on a real master and a real minion: the plan, the steps' order, going on, going back. What the node does is
stood in for."""

import json
from pathlib import Path

import pytest

from saltroni.restore import plan

#: In place of the module of the same name: it writes down what it is asked, and fails where it is told to.
STAND_IN = """
import json
from pathlib import Path

from salt.exceptions import CommandExecutionError

FOLDER = Path({folder!r})
GIB = 2**30
CONTROL = {{"state": "shut down", "timeline": 1, "system_id": "7", "end": [1, 9]}}
ANSWERS = {{
    "look": {{"exists": True, "control": CONTROL, "running": {{}}, "held": False, "kept": {{}}, "staged": {{}}, "mark": {{}},
             "free_bytes": 99 * GIB, "wal_free_bytes": None, "data_bytes": GIB, "busy": False, "runs": {{}}}},
    "survey": {{"tool": "walg", "prefix": "s3://b/trial/17", "owner": {{"system_identifier": "7"}}, "own_owner": None,
               "highest": 1, "reasons": [], "timeline": 1, "next_timeline": 2, "until": None,
               "windows": [{{"timeline": 1, "from": "f", "until": None, "gaps": [], "present": True}}],
               "backup": {{"id": "base_1", "finished": "t", "kind": "full", "size": GIB, "system_id": 7}}}},
    "stop": {{"stopped": True, "control": CONTROL}},
    "push": {{"pushed": []}},
    "promote": {{"timeline": 2, "system_id": 7, "last_commit": "c"}},
    "swap": {{"kept": ["x"]}},
    "start": {{"standing": "it is the leader", "timeline": 3}},
    "backup": {{"verdict": "passed", "backup": "base_2"}},
    "put_back": {{"has_data": True, "control": CONTROL}},
    "lead_again": {{"timeline": 4, "system_id": 7}},
    "forget": {{"removed": ["y"]}},
}}


def _said(name, arguments):
    arguments = {{key: value for key, value in arguments.items() if not key.startswith("__")}}
    with (FOLDER / "asked").open("a") as out:
        out.write(json.dumps([name, arguments]) + chr(10))
    if (FOLDER / "fail").exists() and (FOLDER / "fail").read_text() == name:
        raise CommandExecutionError("the disk is gone")
    return ANSWERS.get(name, {{"done": True}})
"""
FUNCTIONS = (
    "look", "survey", "mark", "unmark", "seal", "fetch", "recover", "hold", "stop", "push", "promote", "swap", "forget_leader",
    "start", "accounts", "backup", "check", "drop", "put_back", "lead_again", "forget",
)  # fmt: skip


@pytest.fixture(scope="module")
def node(master, minion, folder, tmp_path_factory):
    """The minion's stand-in: a folder with what it was asked."""
    place = tmp_path_factory.mktemp("stand-in")
    text = STAND_IN.format(folder=str(place))
    for name in FUNCTIONS:
        text += f"\n\ndef {name}(**arguments):\n    return _said({name!r}, arguments)\n"
    path = Path(minion.config["extension_modules"], "modules", "patroni_restore.py")
    real = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        assert minion.salt_call_cli(timeout=120).run("patroni_restore.look").returncode == 0
        assert master.salt_cli(timeout=120).run("saltutil.refresh_modules", minion_tgt="pg1").returncode == 0
        yield place
    finally:
        path.write_text(real, encoding="utf-8")


@pytest.fixture
def run(master):
    return master.salt_run_cli(timeout=240)


def asked(node):
    lines = (node / "asked").read_text(encoding="utf-8").splitlines()
    (node / "asked").unlink()
    return [(name, arguments) for name, arguments in map(json.loads, lines) if name not in ("look", "survey")]


def orchestrate(run, **wanted):
    return run.run("state.orchestrate", "orch.restore", f"pillar={json.dumps({'restore': wanted})}")


def test_a_plan_changes_nothing(run, node):
    done = run.run("restore.plan", time="2026-11-25 10:00:00")
    assert done.returncode == 0, done
    assert done.data["verdict"] == "possible"
    assert "from full backup base_1" in done.stderr
    assert asked(node) == []
    assert run.run("restore.plan", time="2999-01-01 10:00:00").data["verdict"] == "refused"
    assert run.run("restore.show").data["verdict"] == "refused"


def test_it_stops_where_a_node_fails_goes_on_and_goes_back(run, node):
    (node / "fail").write_text("promote", encoding="ascii")
    done = orchestrate(run, time="2026-11-25 10:00:00+00")
    assert done.returncode != 0
    assert "promote: pg1: " in done.stderr
    assert "the disk is gone" in done.stderr
    first = [name for name, _ in asked(node)]
    assert first == ["mark", "fetch", "recover", "hold", "stop", "push", "promote"]
    told = run.run("restore.show").data
    assert (told["verdict"], told["down"], told["left"][0]) == ("unfinished", True, "promote")
    # another one can't begin meanwhile
    other = orchestrate(run, latest=True)
    assert other.returncode != 0
    assert "isn't over" in other.stdout
    (node / "fail").unlink()
    done = orchestrate(run)
    assert done.returncode == 0, done
    second = asked(node)
    assert [name for name, _ in second] == [
        "promote", "swap", "forget_leader", "start", "accounts", "backup", "check", "unmark",
    ]  # fmt: skip
    wanted = dict(second)
    assert wanted["promote"]["target"] == {"time": "2026-11-25 10:00:00+00:00"}
    assert wanted["promote"]["timeline"] == 1
    assert wanted["forget_leader"]["system_id"] == "7"
    told = run.run("restore.show").data
    assert (told["verdict"], list(told["done"])) == ("finished", list(plan.STEPS))
    back = run.run("restore.back")
    assert (back.returncode, back.data["undone"]) == (0, True), back
    names = [name for name, _ in asked(node)]
    assert names == ["hold", "stop", "put_back", "drop", "lead_again", "forget_leader", "start", "unmark"]
    assert run.run("restore.forget").data["removed"] == {"pg1": ["y"]}


def test_the_report_is_told(minion, node, folder):
    sent = minion.salt_call_cli(timeout=120).run("spool.send")
    assert (sent.returncode, sent.data["waiting"]) == (0, 0), sent
    events = "".join(path.read_text(encoding="utf-8") for path in (folder / "trial").rglob("*.jsonl"))
    assert "restore/finished" in events
    assert "restore/undone" in events
