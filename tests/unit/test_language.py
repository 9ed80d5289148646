"""Both languages have every phrase, with the same fields; no phrase is missing or left over."""

import re
import string
from pathlib import Path

import pytest

from saltroni import faults, report
from saltroni.drill import verdict
from saltroni.failover import promise
from saltroni.report import backups, cluster, drills, phrases_en, phrases_ru, suites, template
from saltroni.report.language import Language
from saltroni.report.pictures import drill as drill_picture

FOLDER = Path(report.__file__).parent
#: Phrases whose names are put together.
BUILT = (
    {f"role_{role}" for role in (*cluster.ROLES, "other")}
    | {f"r_{mode}" for mode in ("async", "sync", "quorum", "strict")}
    | {f"why_{why}" for why in ("drill", "switchover", "orderly", "failover")}
    | {f"src_{source}" for source in ("told", "confirmed", "reconciled", "drill")}
    | {"last_24h", "last_7d", "last_30d"}
    | set(drills.PHASES)
    | set(drill_picture.SHORT.values())
    | {f"suite_{verdict}" for verdict in suites.VERDICTS}
    | {f"restore_{verdict}" for verdict in backups.RESTORES.values()}
)


def fields(text):
    return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)


def used():
    sources = [template.TEMPLATE, *(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))]
    found = set(BUILT)
    for source in sources:
        found |= set(re.findall(r"""say\(\s*['"](\w+)['"]\s*[,)]""", source))
        found |= set(re.findall(r"""\(\s*['"]((?:w|p|pt|ps|ph|m|r|role)_\w+)['"],""", source))
        found |= {
            name for pair in re.findall(r"""say\(\s*['"](\w+)['"] if .*? else ['"](\w+)['"]""", source) for name in pair
        }
        found |= set(re.findall(r"""else ['"]([a-z]\w+)['"]""", source)) & set(phrases_en.PHRASES)
        found |= set(re.findall(r"""['"](w_backup|w_proof|v_\w+)['"]""", source))
    return found


def test_both_languages_have_the_same_phrases_with_the_same_fields():
    assert set(phrases_en.PHRASES) == set(phrases_ru.PHRASES)
    assert set(phrases_en.NOUNS) == set(phrases_ru.NOUNS)
    for name, text in phrases_en.PHRASES.items():
        assert fields(text) == fields(phrases_ru.PHRASES[name]), name


def test_every_phrase_that_is_said_is_there():
    assert not used() - set(phrases_en.PHRASES)


def test_no_phrase_is_left_over():
    assert not set(phrases_en.PHRASES) - used()


def test_russian_is_russian():
    latin = {
        name
        for name, text in phrases_ru.PHRASES.items()
        if not re.search(r"[А-Яа-я]", re.sub(r"\{\w+\}", "", text))
        and re.search(r"[A-Za-z]{3}", re.sub(r"\{\w+\}", "", text))
    }
    assert latin == {"role_etcd", "role_patroni", "role_haproxy"}


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 узел"),
        (2, "2 узла"),
        (5, "5 узлов"),
        (11, "11 узлов"),
        (21, "21 узел"),
        (112, "112 узлов"),
        (0, "0 узлов"),
    ],
)
def test_russian_counts(number, told):
    assert Language("ru").count(number, "node") == told


def test_numbers_are_written_as_the_language_does():
    assert (Language("en").number(1234567), Language("ru").number(1234567)) == ("1,234,567", "1\u00a0234\u00a0567")
    assert (Language("en").seconds(2.5), Language("ru").seconds(2.5)) == ("2.50 s", "2,50 с")
    assert [Language("en").seconds(value) for value in (0, 12.34, 99.97, 185, 240, 7500, None)] == [
        "0.00 s", "12.3 s", "100.0 s", "3 min 5 s", "4 min", "2 h 5 min", "–",
    ]  # fmt: skip
    assert [Language("en").size(value) for value in (0, 5 * 2**20, 3 * 2**30, None)] == ["0 MiB", "5 MiB", "3 GiB", "–"]


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ("wrote /etc/x; mode 0644", "записан /etc/x; mode 0644"),
        ("edited /etc/a: 2 lines added, 1 removed", "изменён /etc/a: строк добавлено 2, убрано 1"),
        ("installed patroni 4.0 and 3 more packages", "установлено: patroni 4.0 и ещё пакетов: 3"),
        ("strange words", "strange words"),
    ],
)
def test_recorded_words_of_this_project_are_translated_and_others_stay(recorded, told):
    assert Language("ru").recorded(recorded) == told
    assert Language("en").recorded(recorded) == recorded


def test_every_fault_and_every_part_of_a_bound_is_said_in_russian():
    assert set(phrases_ru.FAULTS) == set(faults.known())
    source = Path(promise.__file__).read_text(encoding="utf-8")
    terms = set(re.findall(r"""[(=]"([A-Za-z' ]+)", (?:\*?[A-Z_]+|\*takes_s|0\.0|float|RECOVERY|least_s)""", source))
    assert len(terms) > 20
    assert set(phrases_ru.TERMS) == terms
    assert Language("ru").term("second detection") == "обнаружение ещё раз"
    assert Language("en").term("second detection") == "second detection"
    assert Language("en").fault("switchover", "a planned switchover") == "a planned switchover"
    assert Language("ru").fault("new_fault", "its own words") == "its own words"


def test_every_reason_for_which_a_drill_fails_is_said_in_russian():
    figures = {
        "bound_s": 2.0, "outage_s": 2.5, "came_back": True, "checked": True, "lost": 1, "acknowledged": 5, "duplicated": 1,
        "refused_but_present": 1, "reads_backwards": 1, "stale_reads": 1, "bad_reads": ["7"], "whole": False,
        "missing": ["7"], "overlap": {"rows": 3, "lasted_s": 0.5, "direct_rows": 0}, "overlap_forbidden": True,
        "lock_lost": "7",
    }  # fmt: skip
    told = verdict.reasons(figures) + verdict.reasons({**figures, "came_back": False, "checked": False})
    assert len(set(told)) == 12
    assert not [reason for reason in told if re.search("[a-z]{3}", Language("ru").recorded(reason))]
