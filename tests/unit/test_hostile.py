"""Nobody's words break the page, in any form or language, and whatever shape an event has, the report is written."""

import itertools
import json
import random
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from saltroni.pillar import model
from saltroni.report import events, page, pictures, state_run, store, webpage, writing
from saltroni.report.language import Language

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
HOSTILE = (
    "</details></td></title></svg><script>alert(1)</script><img src=x onerror=y> | ```\n# Heading\n![x](http://evil/x.png) "
    "`code` **bold** [link](javascript:x) $\\frac{1}{2}$ $ www.evil.org <!-- ~~x~~ \\| {{ 7 * 7 }} {% x %} &lt;b&gt; \u202e\x1b[2J\x00"
)
KINDS = (
    "drill/finished", "drill/started", "drill/refused", "suite/finished", "role/changed", "timeline/ended", "node/seen",
    "postgresql/stopped", "switchover/finished", "backup/finished", "proof/finished", "proof/refused",
    "restore/finished", "restore/undone", "spool/unreadable", "states/applied",
    "strange/kind",
)  # fmt: skip
NAMES = (
    "fault", "what", "old_leader", "new_leader", "reasons", "errors", "phases", "unknown", "lag", "lost_rows", "settings",
    "outage_s", "bound_s", "bound_terms_s", "timeline", "timeline_after", "time", "lsn", "role", "certificates", "watchdog",
    "pending_restart", "tool", "backup", "kind", "bytes", "took_s", "verdict", "recovery_s", "loss_s", "file", "why",
    "states", "error", "jid", "sls", "function", "drill", "id", "acknowledged", "lost", "broken_off", "undurable", "target",
    "leader", "last_commit", "steps",
)  # fmt: skip


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def delivered(kind, data, number=0, node="pg1"):
    sent = {"id": f"e{number}", "kind": kind, "time": data.get("time"), "data": data}
    return events.delivered(sent, node, "demo", BEGIN + timedelta(seconds=number))


@pytest.fixture
def forms(settings, tmp_path):
    built = model.build(settings)

    def make(recorded):
        store.Store(tmp_path / "events").append(recorded)
        for code in ("en", "ru"):
            writing.write(tmp_path, built, BEGIN + timedelta(hours=1), code)
        return tmp_path

    return make


def hostile():
    word = HOSTILE
    drill = {
        "fault": word, "what": word, "old_leader": word, "new_leader": word, "reasons": [word], "errors": {word: 3},
        "lost_rows": [word], "outage_s": 2.5, "bound_s": 2.0, "bound_terms_s": {word: 1.0}, "verdict": "failed",
        "phases": {"new_leader_s": 1.0}, "settings": {"replication": word}, "load_balancer": word,
        "lag": [[0, {word: 5}], [1, {word: 7_000_000}]],
    }  # fmt: skip
    state = {"key": word, "id": word, "function": "file.managed", "result": False, "seconds": 1, "comment": word,
             "changed": word, "packages": {"patroni": word}}  # fmt: skip
    copy = {"tool": word, "backup": word, "kind": word, "bytes": 5_000_000, "recovery_s": 3.0, "reasons": [word]}
    return [
        delivered("drill/finished", drill, 1),
        delivered("states/applied", {"jid": "20261124180312123456", "states": [state], "sls": word}, 2),
        delivered("states/applied", {"jid": "20261124180312123457", "states": [], "error": word}, 3),
        delivered("timeline/ended", {"timeline": 3, "new_leader": word, "time": "2026-11-24T18:00:09"}, 4),
        delivered("timeline/ended", {"timeline": 4, "new_leader": "pg3", "time": "2026-11-24T18:10:09"}, 5),
        delivered("node/seen", {"certificates": {word: "2026-11-25T00:00:00"}, "watchdog": {"device": word}}, 6),
        delivered("backup/finished", copy, 7),
        delivered("proof/finished", copy, 8),
        delivered("proof/refused", copy, 10),
        delivered("restore/finished", {"target": word, "leader": word, "last_commit": word, "steps": {word: 1.0}}, 11),
        delivered("spool/unreadable", {"file": word, "why": word}, 9),
        events.note("demo", "noted", {"title": word, "text": word, "solution": word}, BEGIN),
    ]


def test_hostile_words_are_text_in_every_form(forms):
    folder = forms(hostile())
    for name in ("REPORT.md", "REPORT.ru.md"):
        text = (folder / name).read_text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\x00" not in text
    for name in ("REPORT.html", "REPORT.ru.html"):
        text = (folder / name).read_text()
        page_tags = Tags(text)
        assert not page_tags.tags & {"script", "img", "a", "iframe", "object", "form", "link", "base"}
        assert not {name for name in page_tags.attributes if name.startswith("on")}
        assert text.count("<h1>") == 1
        assert text.count("<details>") == text.count("</details>")
        assert "Content-Security-Policy" in text
    for path in (folder / "pictures").glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ET.parse(path).iter()}  # noqa: S314 - we made it
        assert not tags & {"script", "a", "image", "foreignObject"}
    json.loads((folder / "REPORT.json").read_text())


@pytest.mark.parametrize("name", ["REPORT.md", "REPORT.ru.md"])
def test_a_real_parser_of_markdown_sees_the_pages_parts_whole(forms, name):
    """Each table is a table with all of its rows and cells, each picture is there and has words, nothing else is open."""
    folder = forms(hostile())
    text = (folder / name).read_text()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == len(re.findall(r"^\|(?:-+:?\|)+$", text, re.MULTILINE)) > 10
    assert kinds.count("tr_open") == len(re.findall(r"^\|", text, re.MULTILINE)) - kinds.count("table_open")
    for row in re.findall(r"^\|(?:-+:?\|)+$(?:\n\|.*$)*", text, re.MULTILINE):
        lines = [re.sub(r"\\\\|\\\|", "", line) for line in row.split("\n")]
        assert len({line.count("|") for line in lines}) == 1, row
    headings = [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    assert len(headings) == len(set(headings)) == 12
    html = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert not [part for part in html if not re.fullmatch(r"<details><summary>[^<]*</summary>|</details>", part)]
    pictures_seen = [child for token in tokens for child in token.children or [] if child.type == "image"]
    assert len(pictures_seen) >= 6
    for picture in pictures_seen:
        assert (folder / picture.attrGet("src")).is_file()
        assert len(picture.content) > 20


def test_the_web_page_takes_nothing_from_elsewhere(forms):
    text = (forms(hostile()) / "REPORT.html").read_text()
    for word in ('src="http', "src='http", "url(http", "@import", 'href="http'):
        assert word not in text.replace('xmlns:xlink="http', "").replace('xmlns="http', "")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_shape_events_have_the_report_is_written(settings, seed):
    chance = random.Random(seed)  # noqa: S311

    def thing(depth=0):
        simple = [
            None, True, False, 0, -1, 3, 2.5, 10**30, -1e300, float("nan"), "", "x", "pg2", "passed", "primary", HOSTILE,
            "2026-11-24T18:00:09", "9999-12-31T23:59:59", "0001-01-01",
        ]  # fmt: skip
        if depth > 2 or chance.random() < 0.6:
            return chance.choice(simple)
        if chance.random() < 0.5:
            return [thing(depth + 1) for _ in range(chance.randrange(4))]
        return {chance.choice([*NAMES, 7, None]): thing(depth + 1) for _ in range(chance.randrange(5))}

    recorded = []
    for number in range(400):
        kind = chance.choice(KINDS)
        data = {name: thing() for name in chance.sample(NAMES, 12)}
        if kind == "states/applied" and chance.random() < 0.7:
            data["states"] = [{name: thing() for name in ("key", "id", "function", "result", "seconds", "changed",
                                                          "packages", "comment")} for _ in range(3)]  # fmt: skip
        recorded.append(delivered(kind, data, number, chance.choice(["pg1", "pg2", "lb1"])))
    recorded.sort(key=lambda event: (event["time"], event["id"]))
    facts = page.gather(model.build(settings), store.Log(events=recorded), BEGIN + timedelta(hours=1))
    for code in ("en", "ru"):
        language = Language(code)
        drawn = {name: (name, words) for name, (_, _, words) in pictures.plan(facts, language).items()}
        webpage.html_page(page.render(facts, language, drawn), language, {})
    json.dumps(writing.machine(facts), allow_nan=False)


def test_the_same_facts_make_the_same_pictures(settings, tmp_path):
    built = model.build(settings)
    facts = page.gather(built, store.Log(events=sorted(hostile(), key=lambda event: event["time"])), BEGIN)
    one, other = tmp_path / "1", tmp_path / "2"
    for folder in (one, other):
        folder.mkdir()
        assert len(pictures.draw(folder, facts, Language("en"))) >= 6
    names = sorted(path.name for path in (one / "pictures").iterdir())
    assert names == sorted(path.name for path in (other / "pictures").iterdir())
    for name in names:
        assert (one / "pictures" / name).read_bytes() == (other / "pictures" / name).read_bytes(), name


def test_a_picture_says_what_it_shows_and_is_drawn_once(settings, tmp_path):
    facts = page.gather(model.build(settings), store.Log(events=[]), BEGIN)
    drawn = pictures.draw(tmp_path, facts, Language("en"))
    path = tmp_path / drawn["topology"][0]
    assert "<title>Applications reach lb1, lb2 (HAProxy)" in path.read_text()
    before = path.stat().st_mtime_ns
    pictures.draw(tmp_path, facts, Language("en"))
    assert path.stat().st_mtime_ns == before


def test_a_picture_that_is_shown_no_more_goes(settings, tmp_path):
    built = model.build(settings)
    facts = page.gather(built, store.Log(events=sorted(hostile(), key=lambda event: event["time"])), BEGIN)
    pictures.draw(tmp_path, facts, Language("en"))
    assert len(list((tmp_path / "pictures").glob("drill-*.svg"))) == 1
    pictures.draw(tmp_path, page.gather(built, store.Log(events=[]), BEGIN), Language("en"))
    assert [path.name for path in (tmp_path / "pictures").glob("*.svg")] == ["topology.svg"]


def test_a_page_without_matplotlib_says_how_to_get_it(settings):
    facts = page.gather(model.build(settings), store.Log(events=[]), BEGIN)
    for code in ("en", "ru"):
        assert "matplotlib" in page.render(facts, Language(code), {})


def test_ten_megabytes_are_cut_short():
    big = delivered("drill/finished", {"what": "x" * 10_000_000, "errors": {str(n): 1 for n in range(100_000)}})
    assert len(json.dumps(big)) < 60_000
    run = delivered(
        "states/applied", {"jid": "1" * 20, "states": [{"id": "y" * 10_000, "comment": "z" * 10_000_000}] * 5000}
    )
    assert len(run["data"]["states"]) == state_run.LARGEST
    assert len(json.dumps(run["data"]["states"][0])) < 5000


def test_every_reason_of_a_change_can_be_said(settings):
    facts = page.gather(model.build(settings), store.Log(events=[]), BEGIN)
    change = {"time": "2026-11-24T18:00:00.000Z", "timeline": 2, "old_leader": None, "new_leader": "pg1", "fault": "x",
              "outage_s": 1.0, "bound_s": None, "lost": None}  # fmt: skip
    facts["failovers"] = facts["failovers_listed"] = [
        {**change, "why": why, "how": how, "source": source}
        for why, how, source in itertools.product(
            ("drill", "switchover", "orderly", "failover"),
            ("measured", "reckoned", "assumed", "unknown"),
            ("told", "confirmed", "reconciled", "drill"),
        )
    ]
    for code in ("en", "ru"):
        page.render(facts, Language(code))
