"""REPORT.md: what it tells, and that nobody's words can break it."""

import copy
import json
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest

from saltroni.pillar import model
from saltroni.report import drills, events, markdown, problems, runs, store, writer, writing
from saltroni.report.language import Language

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
HOSTILE = (
    "</details></td><script>alert(1)</script> | cell | ```\n# Heading\n![x](http://evil/x.png) `code` **bold** "
    "[link](javascript:x) $math$ www.evil.org <!-- ~~x~~ \\| \\"
)


def state(identity, result=True, changed=None, comment=None, held=False, seconds=1.0):
    kept = {"key": f"file.managed|{identity}|/x", "id": identity, "function": "file.managed", "result": result,
            "seconds": seconds}  # fmt: skip
    if changed:
        kept.update(changed=changed, packages={}, name="/x")
    if result is False:
        kept.update(comment=comment or "it broke", held_back=held, name="/x")
    return kept


def run(minute, states, node="pg1", job=None, error=None, sls="", dry=False):
    data = {
        "function": "state.apply",
        "sls": sls,
        "dry": dry,
        "error": error,
        "states": states,
        "jid": job or f"j{minute}",
    }
    return events.event(f"{data['jid']}/{node}", "demo", node, events.RUN, data, BEGIN + timedelta(minutes=minute))


def drill(minute, **more):
    data = {
        "id": f"d{minute}", "drill": f"d{minute}", "verdict": "passed", "reasons": [], "fault": "postmaster_killed",
        "old_leader": "pg1", "new_leader": "pg2", "timeline_before": 1, "timeline_after": 2, "outage_s": 2.5,
        "bound_s": 3.0, "bound_terms_s": {"detection": 1.0, "reconnect": 2.0}, "acknowledged": 1234, "lost": 0,
        "phases": {"leader_key_gone_s": 0.6, "new_leader_s": 0.9, "first_commit_s": None}, "time_to_whole_s": 8.4,
        "unknown": {"present": 1, "absent": 2}, "settings": {"replication": "quorum"}, **more,
    }  # fmt: skip
    return events.event(f"pg1/d{minute}", "demo", "lb1", "drill/finished", data, BEGIN + timedelta(minutes=minute))


def met(*recorded):
    recorded = copy.deepcopy(list(recorded))
    found = problems.all_problems(recorded, runs.all_runs(recorded))
    english = Language("en")
    return [
        {**problem, **{name: english.fact(problem[name]) for name in ("title", "how", "said") if problem[name]}}
        for problem in found
    ]


def test_an_empty_report_says_so(written):
    text = written()
    assert "Nothing has been recorded yet" in text
    assert "No drill has been recorded" in text
    assert "salt-call patroni.failover_test" in text


def test_nodes_of_one_job_are_one_run_and_a_repeated_run_is_a_proof(written):
    steps = [state("Install etcd", changed="installed etcd"), state("Run etcd", changed="etcd started")]
    first = [run(1, steps, node, job="j1") for node in ("etcd1", "etcd2", "etcd3")]
    again = [run(2, [state("Install etcd"), state("Run etcd")], node, job="j2") for node in ("etcd1", "etcd2", "etcd3")]
    made = runs.all_runs(copy.deepcopy(first + again))
    assert [(r["changed"], r["unchanged"], len(r["nodes"])) for r in made] == [(6, False, 3), (0, True, 3)]
    text = written(*first, *again)
    assert "A repeated run changed nothing: run 2 checked 6 states on 3 nodes, 0 changed, 0 failed." in text
    assert "| 1 | Install etcd | etcd1-3 | installed etcd |" in text
    assert "no change" in text
    assert "No state failed" in text


def test_many_steps_are_folded(written):
    text = written(run(1, [state(f"Step {n}", changed="done") for n in range(20)]))
    assert text.count("<details>") == text.count("</details>") == 1
    assert "<summary>20 steps that changed something</summary>" in text


def test_a_failed_state_is_open_until_the_same_state_succeeds_on_the_same_node():
    failed = run(1, [state("Install etcd", False, comment="mirror is down"), state("Run", False, held=True)])
    other = run(2, [state("Install etcd")], node="pg2")
    fixed = run(3, [state("Install etcd", changed="installed etcd")])
    (problem,) = met(failed, other)
    assert (problem["solved"], problem["still"], problem["held"]) == (None, ["pg1"], ["Run"])
    (problem,) = met(failed, other, fixed)
    assert problem["solved"] == "2026-11-24T18:03:00.000Z"
    assert problem["how"] == "the same state succeeded: installed etcd"
    assert problem["solved_run"] == 3


def test_open_problems_come_first(written):
    text = written(
        run(1, [state("First", False), state("Second", False)]),
        run(2, [state("First"), state("Second", False)]),
    )
    assert "**Open now:**" in text
    assert text.index('"Second" failed (open)') < text.index("**Solved")
    assert '"Second" failed on pg1 (problem P-' in text


def test_the_same_failure_on_many_nodes_is_one_problem():
    nodes = ("etcd1", "etcd2", "etcd3")
    failed = [run(1, [state("Install", False, comment=f"{node}: no route")], node, job="j") for node in nodes]
    (problem,) = met(*failed)
    assert problem["nodes"] == list(nodes)
    (problem,) = met(*failed, run(2, [state("Install")], "etcd2"))
    assert problem["still"] == ["etcd1", "etcd3"]


def test_a_failure_that_comes_back_is_a_problem_of_its_own():
    found = met(
        run(1, [state("A", False)]), run(2, [state("A", False)]), run(3, [state("A")]), run(4, [state("A", False)])
    )
    assert [(problem["times"], problem["solved"] is None) for problem in found] == [(1, True), (2, False)]
    assert len({problem["id"] for problem in found}) == 2


def test_a_state_that_left_the_tree_is_solved_by_a_clean_full_run_only():
    failed = run(1, [state("Old", False)])
    assert met(failed, run(2, [state("New")], sls="new"))[0]["solved"] is None
    assert met(failed, run(2, [state("New", False)]))[0]["solved"] is None
    assert "no longer part" in met(failed, run(2, [state("New")]))[0]["how"]


def test_a_run_that_could_not_begin_is_solved_by_one_that_did():
    broken = run(1, [], error="Rendering SLS failed")
    assert met(broken)[0]["said"] == "Rendering SLS failed"
    assert met(broken, run(2, [state("A")]))[0]["how"] == "a later run began and ran"


def test_a_dry_run_is_neither_problem_nor_solution():
    assert met(run(1, [state("A", False)], dry=True)) == []
    assert met(run(1, [state("A", False)]), run(2, [state("A")], dry=True))[0]["solved"] is None


def test_a_failed_drill_is_solved_by_a_later_one_with_the_same_fault():
    failed = drill(1, verdict="failed", reasons=["3 of 9 acknowledged rows are lost"])
    assert met(failed)[0]["solved"] is None
    assert met(failed, drill(2, fault="patroni_frozen"))[0]["solved"] is None
    assert met(failed, drill(2))[0]["solved"] == "2026-11-24T18:02:00.000Z"


def test_a_person_explains_a_problem_and_can_close_it(written):
    failed = run(1, [state("A", False)])
    (problem,) = met(failed)
    said = problems.explanation("demo", problem, "The mirror was down", solved=False)
    (explained,) = met(failed, said)
    assert [entry["text"] for entry in explained["explanations"]] == ["The mirror was down"]
    assert explained["solved"] is None
    assert explained["id"] == problem["id"]
    closed = problems.explanation("demo", problem, "Replaced the disk", solved=True)
    assert met(failed, said, closed)[0]["solved"]
    assert "**Explanation:** The mirror was down" in written(failed, said)


def test_a_person_notes_a_problem(written):
    note = events.note(
        "demo", "noted", {"title": "No route", "text": "ping failed", "solution": "fixed the bridge"}, BEGIN
    )
    text = written(note)
    assert "Noted by a person, 2026-11-24 18:00:00." in text
    assert "**Solved:** fixed the bridge." in text
    assert "(open)" in written(events.note("demo", "noted", {"title": "No route", "text": "", "solution": None}, BEGIN))


def test_a_drill_is_told_with_its_figures(written):
    text = written(drill(1), drill(2, outage_s=1.5), drill(3, outage_s=2.0, fault="patroni_frozen", bound_s=None))
    assert "| postmaster\\_killed | quorum | 2 | 2 | 1.50 s | 2.00 s | 2.50 s | 3.00 s | 0 of 2,468 |" in text
    assert "| patroni\\_frozen | quorum | 1 | 1 | 2.00 s | 2.00 s | 2.00 s | – | 0 of 1,234 |" in text
    assert "| Leader | pg1 before, pg2 after |" in text
    assert "**2.50 s**, bound 3.00 s (detection 1.00 s + reconnect 2.00 s)" in text
    assert "| 0.60 | the leader's key is gone from etcd |" in text
    assert "| not seen | the first commit is acknowledged again |" in text
    assert "1 are there, 2 are not" in text
    assert "pg1 failed, pg2 leads; writes were out for 2.00 s; 0 of 1,234 acknowledged rows were lost." in text


def test_drills_under_other_settings_are_told_apart(written):
    """A median of 1 s and 30 s that were promised different things says nothing."""
    asynchronous = {"settings": {"replication": "async"}, "bound_s": 34.5}
    text = written(drill(1), drill(2, outage_s=9.5, **asynchronous), drill(3, outage_s=11.5, **asynchronous))
    assert "| postmaster\\_killed | quorum | 1 | 1 | 2.50 s |" in text
    assert "| postmaster\\_killed | async | 2 | 2 | 9.50 s | 10.5 s | 11.5 s | 34.5 s |" in text


@pytest.mark.parametrize(
    "data",
    [
        {}, {"verdict": 5, "phases": [], "unknown": 3, "bound_terms_s": "x", "reasons": "words", "errors": None},
        {"outage_s": "long", "lost": None, "acknowledged": [], "timeline_before": {}, "settings": [], "fault": ["x"]},
        {"verdict": "failed", "broken_off": True, "reasons": ["broken off: no lock"]},
    ],
)  # fmt: skip
def test_a_drill_without_its_figures_is_told_too(written, data):
    text = written(events.event("x", "demo", "pg1", "drill/finished", data, BEGIN))
    assert "## Failover drills" in text
    assert "None" not in text


def test_a_drill_that_never_ended_is_a_warning(written):
    started = events.event("x/s", "demo", "pg1", "drill/started", {"drill": "x", "fault": "postmaster_killed"}, BEGIN)
    assert "has not reported its end" in written(started)
    assert not drills.unfinished([started], BEGIN + timedelta(minutes=5))
    ended = events.event("x/f", "demo", "pg1", "drill/finished", {"drill": "x"}, BEGIN)
    assert not drills.unfinished([started, ended], BEGIN + timedelta(hours=1))


def test_settings_and_rule_stand_with_their_numbers(written):
    text = written()
    assert "0.5 + 2 x (2 + 0.25) + 0.5 = 5.5 s  <  20 - 1 = 19 s" in text
    assert "quorum: a commit is acknowledged when the leader and 1 of the other members have it" in text
    assert "etcd: members and clients prove who they are by certificates (mTLS) | none (of 3 nodes)" in text


def test_torn_and_unreadable_lines_are_told(written):
    text = written(drill(1), torn=1, unreadable=[("2026-11.jsonl", 7)])
    assert "1 line was left half written by a crash and set aside" in text
    assert "1 recorded event can't be read: 2026-11.jsonl line 7." in text


def test_nobodys_words_break_the_page(written):
    text = written(
        run(1, [state(HOSTILE, changed=HOSTILE), state("Broken" + HOSTILE, False, comment=HOSTILE)], error=None),
        run(2, [], error=HOSTILE, sls=HOSTILE),
        drill(
            3, fault=HOSTILE, old_leader=HOSTILE, reasons=[HOSTILE], errors={HOSTILE: 3}, verdict="failed", what=HOSTILE
        ),
        events.note("demo", "noted", {"title": HOSTILE, "text": HOSTILE, "solution": HOSTILE}, BEGIN),
    )
    outside, inside, fence = [], [], None
    for line in text.split("\n"):
        ticks = re.match(r"(`{3,})", line)
        if fence is None and ticks:
            fence = ticks[1]
        elif fence is not None and line == fence:
            fence = None
        else:
            (outside if fence is None else inside).append(line)
    assert fence is None
    ours = "\n".join(line for line in outside if not line.startswith("    "))
    assert "<script" not in ours
    assert "<!--" not in ours
    assert "\n# Heading" not in ours
    assert not re.search(r"(?<!\\)\]\(", ours)
    assert ours.count("<details>") == ours.count("</details>")
    header = 0
    for line in outside:
        columns = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (header and columns) or columns == header, line
        header = columns


@pytest.mark.parametrize("text", ["a|b", "`", "``", "a`b", "\\", "\\|", "", "a\nb", "```"])
def test_inline_code_stays_one_cell(text):
    made = markdown.code(text)
    assert "\n" not in made
    assert not re.search(r"(?<!\\)\|", made)


def test_a_block_cannot_be_closed_from_inside():
    assert markdown.block("a\n````\n# b").startswith("`````text\n")


def test_markdown_parsers_see_only_text(written):
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    html = parser.render(written(run(1, [state(HOSTILE, changed=HOSTILE), state("B", False, comment=HOSTILE)])))
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert html.count("<h1>") == 1
    assert html.count("<details>") == html.count("</details>") == 0


def test_late_and_repeated_events_make_the_same_page(written, tmp_path):
    recorded = [run(1, [state("A", False)]), run(2, [state("A")]), drill(3)]
    one, other = store.Store(tmp_path / "1"), store.Store(tmp_path / "2")
    one.append(recorded)
    for event in [*reversed(recorded), *recorded]:
        other.append([event])
    assert written(*one.read().events) == written(*other.read().events)


def test_a_burst_is_written_few_times_and_the_last_event_is_always_in(tmp_path):
    events_seen, written_with = [], []
    release = threading.Event()

    def make():
        written_with.append(len(events_seen))
        release.wait(10)

    def recorder(number):
        events_seen.append(number)
        writer.request(tmp_path, lambda folder: writer.fulfil(folder, make, quiet_s=0.01, sleep=lambda _: None))

    threads = [threading.Thread(target=recorder, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    release.set()
    for thread in threads:
        thread.join(20)
    assert max(written_with) == 30
    assert written_with[-1] == 30
    assert len(written_with) < 15


def test_the_report_is_written_whole_with_its_counts(tmp_path, settings):
    built = model.build(settings)
    store.Store(tmp_path / "events").append([run(1, [state("A", False)]), drill(2)])
    told = writing.write(tmp_path, built)
    assert told == {
        "path": str(tmp_path / "REPORT.md"), "events": 2, "runs": 1, "problems": 1, "open": 1, "drills": 1,
        "failovers": 1, "pictures": 4,
    }  # fmt: skip
    assert (
        (tmp_path / "REPORT.md").read_text().startswith("# High availability of PostgreSQL: the report of cluster demo")
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["REPORT.html", "REPORT.json", "REPORT.md", "events", "pictures"]
    assert json.loads((tmp_path / "REPORT.json").read_text())["problems"][0]["title"] == '"A" failed'


def test_a_step_that_is_two_states_is_one_step():
    parts = [
        state("Create the key", changed="made /ca.key") | {"function": "x509.private_key_managed"},
        state("Create the key", changed="wrote /ca.key; mode 0600"),
    ]
    (step,) = runs.all_runs([run(1, parts)])[0]["steps"]
    assert (step["what"], step["nodes"], step["longest"]) == (["made /ca.key"], ["pg1"], 2.0)


def test_neighbouring_steps_that_differ_in_one_word_are_one():
    names = [state(f"Know {name} by its name", changed=f"{name} known") for name in ("a", "b", "c")]
    steps = runs.all_runs([run(1, [*names, state("Install c by its name", changed="x"), state("Run it", changed="y")])])
    told = [step["id"] for step in steps[0]["steps"]]
    assert told == ["Know a, b, c by its name", "Install c by its name", "Run it"]
    assert steps[0]["steps"][0]["what"] == ["a known", "b known", "c known"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["pg2", "pg1", "pg3", "salt", "lb1"], "lb1, pg1-3, salt"),
        (["pg1", "pg2"], "pg1, pg2"),
        (["pg9", "pg10", "pg11"], "pg9-11"),
        (["a", "b1", "b3"], "a, b1, b3"),
        (["x01", "x02"], "x01, x02"),
        (["a", "b", "c", "d"], "all 4"),
        ([], ""),
    ],
)
def test_names_are_told_briefly(given, told):
    assert Language().names(given, ["a", "b", "c", "d"]) == told


def suite(minute, **more):
    faults = [
        {"fault": "postmaster_killed", "rounds": 5, "outage_s": 0.9, "bound_s": 2.7, "lost": 0, "acknowledged": 4000,
         "verdict": "passed"},
        {"fault": "network_cut", "rounds": 5, "outage_s": 12.1, "bound_s": 20.0, "lost": 0, "acknowledged": 3000,
         "verdict": "passed"},
    ]  # fmt: skip
    data = {
        "suite": "s1", "started": "2026-11-24T17:00:00.000Z", "verdict": "passed", "reasons": [], "faults": faults,
        "totals": {"faults": 2, "rounds": 10, "skipped": 1, "left": 0, "acknowledged": 7000, "lost": 0}, **more,
    }  # fmt: skip
    return events.event(f"lb1/s{minute}", "demo", "lb1", "suite/finished", data, BEGIN + timedelta(minutes=minute))


def test_a_suite_is_told_with_its_worst_outage_against_its_bound(written):
    stopped = suite(5, verdict="stopped", reasons=["its time was over before all faults were done"])
    text = written(drill(1), stopped, suite(9), suite(12, suite="s2", verdict="failed", reasons=["a | b"], faults=None))
    rows = [row for row in text.splitlines() if "17:00:00" in row]
    assert len(rows) == 2, "a suite that went on later is one suite"
    assert "| 2, 1 skipped | 10 | 12.1 s of 20.0 s (network\\_cut) | 0 of 7,000 | passed |" in rows[0]
    assert "| – | 0 of 7,000 | **NOT passed**: a \\| b |" in rows[1]
    assert "12,1 с из 20,0 с (network\\_cut)" in written(suite(9), drill(1), language="ru").replace("\xa0", " ")


def test_a_suite_of_another_shape_breaks_nothing(written):
    wrong = {
        "suite": None,
        "started": HOSTILE,
        "verdict": ["x"],
        "reasons": "x",
        "faults": [1, {}, {"bound_s": 0}],
        "totals": 3,
    }
    text = written(drill(1), suite(2, **wrong))
    assert "| stopped before its end |" in text
    assert HOSTILE[:19] not in text


def test_a_suite_is_in_the_page_without_any_drill(written):
    assert "12.1 s of 20.0 s" in written(suite(9))


def test_a_node_called_like_a_part_of_the_words_is_no_other_problem():
    said = "saltroni_cluster is refused on {}: salt has no 10.0.0.{} of pg2"
    recorded = [
        run(1, [], node=node, job="j", error=said.format(node, number))
        for number, node in enumerate(("salt", "pg1", "pg2"))
    ]
    (problem,) = met(*recorded)
    assert problem["nodes"] == ["pg1", "pg2", "salt"]
