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


def when(stamp):
    """An event's time for people: ``2026-11-24 18:03:12``."""
    return str(stamp)[:19].replace("T", " ")


def names(values, of=None):
    """Names in a row; ``all 3`` where they are all of ``of`` and more than two."""
    values = list(values)
    if of and len(values) > 2 and set(values) == set(of):
        return f"all {len(values)}"
    return ", ".join(values)


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
    "when": when,
    "names": names,
    "count": count,
}
