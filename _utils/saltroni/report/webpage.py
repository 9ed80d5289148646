"""The page as one HTML file that needs nothing else: no network, no script, pictures within.

:depends: markdown-it-py
"""

import html
import re

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --page: #fff; --line: #d0d7de; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --page: #0d1117; --line: #30363d; --soft: #161b22; } }
body { color: var(--ink); background: var(--page); font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; overflow-wrap: break-word; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; }
th:empty { padding: 0; border: 0; }
tr:nth-child(even) td { background: var(--soft); }
pre, code { background: var(--soft); border-radius: 4px; font-size: .9em; }
pre { padding: .7rem; overflow-x: auto; white-space: pre-wrap; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
figure { margin: 1rem 0; } svg { width: 100%; max-width: 54rem; height: auto; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'none'"
PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
#: The only HTML in our Markdown.
FOLDS = re.compile(r"</?details>|</?summary>|<br>")


def html_page(markdown, language, pictures):
    """One HTML page of ``markdown``.

    Args:
        markdown: the page, see :func:`saltroni.report.page.render`.
        language: see :class:`saltroni.report.language.Language`.
        pictures: ``{path: SVG}`` of the pictures that the page names.

    Returns:
        the page; None where markdown-it-py isn't installed.
    """
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return None
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("html_block", lambda _, tokens, place, *__: _ours(tokens[place].content))
    parser.add_render_rule("html_inline", lambda _, tokens, place, *__: _ours(tokens[place].content))
    parser.add_render_rule("image", lambda _, tokens, place, *__: _figure(tokens[place], pictures))
    title = re.search(r"^# (.*)$", markdown, re.MULTILINE)
    return PAGE.format(
        language=language.code,
        policy=POLICY,
        title=html.escape(re.sub(r"\\(.)", r"\1", title[1]) if title else "Saltroni"),
        style=STYLE,
        body=parser.render(markdown),
    )


def _ours(text):
    """Tags that our template makes; any other is shown as text."""
    kept, last = [], 0
    for found in FOLDS.finditer(text):
        kept += [_text(text[last : found.start()]), found[0]]
        last = found.end()
    return "".join([*kept, _text(text[last:])])


def _text(text):
    return html.escape(html.unescape(text))


def _figure(token, pictures):
    """A picture within the page. Ids within it are made its own: several pictures share the page."""
    path = token.attrGet("src") or ""
    picture = pictures.get(path)
    if picture is None:
        return html.escape(token.content)
    mark = re.sub(r"\W", "-", path)
    picture = re.sub(r'\bid="', f'id="{mark}-', picture)
    picture = re.sub(r'(xlink:href="|href="|url\()#', rf"\1#{mark}-", picture)
    return picture[picture.index("<svg") :]
