"""Text that others wrote, put into a Markdown page so that it can't be anything but text. Pure.

For GitHub's dialect: tables, autolinks, HTML, math and footnotes included.
"""

import re

#: Characters by which Markdown begins something.
SPECIAL = re.compile(r"([\\`*_\[\]|~#$^])")


def plain(value):
    """``value`` as text on one line: in a paragraph, a heading or a table's cell."""
    text = " ".join(str(value).split())
    text = SPECIAL.sub(r"\\\1", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # addresses become links by themselves otherwise
    return re.sub(r"(?i)\bwww\.", r"www\\.", text.replace("://", "\\://")).replace("@", "&#64;")


def code(value):
    """``value`` as inline code on one line, in a table's cell too."""
    text = " ".join(str(value).split())
    if not text:
        return ""
    if "|" in text or "\\" in text:
        return plain(text)
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def block(value):
    """``value`` as a fenced block, with a fence that it can't close."""
    text = str(value).replace("\r", "").rstrip()
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text):
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def when(stamp):
    """An event's time for people: ``2026-11-24 18:03:12``."""
    return str(stamp)[:19].replace("T", " ")


def names(values):
    """Names in a row, in order; ``pg1-3`` for neighbours."""
    values = sorted(set(values), key=_natural)
    rows = []
    for value in values:
        stem, number = _natural(value)
        if rows and rows[-1][0] == stem and rows[-1][2] == number - 1:
            rows[-1][2] = number
        else:
            rows.append([stem, number, number, value])
    return ", ".join(
        value if first == last else f"{value}-{last}" if last > first + 1 else f"{value}, {stem}{last}"
        for stem, first, last, value in rows
    )


def _natural(name):
    """A name's stem and number, ``("pg", 3)``; a name without a plain number is all stem."""
    found = re.fullmatch(r"(.*?)([1-9]\d{0,5})", name)
    return (found[1], int(found[2])) if found else (name, -1)


FILTERS = {
    "plain": plain,
    "code": code,
    "block": block,
    "when": when,
}
