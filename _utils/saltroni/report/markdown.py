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


def label(value):
    """``value`` inside a quoted label of a Mermaid diagram."""
    return re.sub(r"[^\w .:,/()-]", "", " ".join(str(value).split()))


def number(value, digits=1):
    """A number with at most ``digits`` decimals, or a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–"
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def seconds(value):
    """A length of time: ``0.42 s``, ``12.3 s``, ``3 min 5 s``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–"
    if value >= 100:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def brief(value):
    """Seconds in a table of steps: to a tenth, and what is less is said to be less."""
    return "< 0.1" if value < 0.1 else number(round(value, 1))


def when(stamp):
    """An event's time for people: ``2026-11-24 18:03:12``."""
    return str(stamp)[:19].replace("T", " ")


def names(values, of=None):
    """Names in a row, in order; ``pg1-3`` for neighbours, ``all 9`` where they are all of ``of`` and more than two."""
    values = sorted(set(values), key=_natural)
    if of and len(values) > 2 and set(values) == set(of):
        return f"all {len(values)}"
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


def count(value, noun, plural=None):
    """``1 node``, ``3 nodes``."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


FILTERS = {
    "plain": plain,
    "code": code,
    "block": block,
    "label": label,
    "number": number,
    "seconds": seconds,
    "brief": brief,
    "when": when,
    "names": names,
    "count": count,
}
