"""A parcel in Salt's mine, its answer, and the call for where no answer comes."""

import pytest

from saltroni.report import tellers
from saltroni.spool import mailbox, parcel

from . import salt_code

TEXT = parcel.pack([{"id": "one"}])
ANSWER = {"recorded": ["one"], "refused": {}}


def entry(data):
    return {mailbox.NAME: {"__data__": data, "__saltmine_acl__": 1, "allow_tgt": "pg1"}, "other": 1}


def test_a_letter_is_found_and_answered_in_its_place():
    assert mailbox.letter(entry(TEXT)) == TEXT
    kept = mailbox.answered(entry(TEXT), TEXT, ANSWER)
    assert (kept["other"], kept[mailbox.NAME]["allow_tgt"]) == (1, "pg1")
    assert mailbox.letter(kept) is None  # a second bell finds nothing
    assert mailbox.answer(kept[mailbox.NAME]["__data__"], TEXT) == ANSWER
    assert mailbox.answer(kept[mailbox.NAME]["__data__"], parcel.pack([{"id": "two"}])) is None


@pytest.mark.parametrize("found", [None, {}, [], {mailbox.NAME: None}, entry({}), entry(["x"]), entry("nonsense")])
def test_what_is_no_letter_is_none(found):
    assert mailbox.letter(found) is None
    assert mailbox.answer(found, TEXT) is None


def test_a_letter_that_came_meanwhile_stays():
    assert mailbox.answered(entry(parcel.pack([{"id": "two"}])), TEXT, ANSWER) is None


@pytest.fixture
def module(monkeypatch):
    """_modules/spool.py, with a master that can be told what to answer."""
    made = salt_code.load("_modules/spool.py")
    for name, value in (("ANSWER_S", 0.05), ("LOOK_S", 0.01)):
        monkeypatch.setattr(mailbox, name, value)
    made.called = []
    made.__opts__ = {"id": "pg1"}
    made.__pillar__ = {"saltroni": {"cluster": "demo", "self": {}}}
    made.__salt__ = {
        "mine.send": lambda *arguments, **named: made.called.append("laid") or True,
        "event.fire_master": lambda data, tag: made.called.append(tag) or True,
        "mine.get": lambda *arguments, **named: {},
        "publish.runner": lambda *arguments: made.called.append("call") or ANSWER,
    }
    return made


def test_who_is_answered_makes_no_call(module):
    kept = {"answers": mailbox.mark(TEXT), **ANSWER}
    module.__salt__["mine.get"] = lambda *arguments, **named: {"pg1": kept}
    assert module._deliver(TEXT) == ANSWER
    assert module.called == ["laid", "saltroni/demo/spool/filled"]


def test_who_isnt_answered_calls(module):
    assert module._deliver(TEXT) == ANSWER
    assert module.called == ["laid", "saltroni/demo/spool/filled", "call"]


@pytest.mark.parametrize("missing", ["mine.send", "event.fire_master"])
def test_a_master_without_a_mine_or_bus_is_called(module, missing):
    module.__salt__[missing] = lambda *arguments, **named: False
    assert module._deliver(TEXT) == ANSWER
    assert module.called[-1] == "call"


def test_a_minion_that_knows_no_cluster_calls(module):
    module.__pillar__ = {}
    assert module._deliver(TEXT) == ANSWER
    assert module.called == ["call"]


def test_who_has_told_a_run_is_remembered(tmp_path):
    assert not tellers.tells(tmp_path, "pg1")
    tellers.mark(tmp_path, "pg1")
    tellers.mark(tmp_path, "pg1")
    assert (tellers.tells(tmp_path, "pg1"), tellers.tells(tmp_path, "pg2")) == (True, False)
    for name in ("../pg1", "", "a/b"):
        with pytest.raises(ValueError, match="no node's name"):
            tellers.mark(tmp_path, name)
