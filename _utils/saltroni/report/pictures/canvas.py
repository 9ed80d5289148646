"""How all pictures look: readable on light and dark pages, and the same bytes for the same facts.

:depends: matplotlib
"""

import io
import os
import re
from xml.sax.saxutils import escape

# before numpy is loaded: its threads take half a second to start, and have nothing to do
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

#: Middle tones, that stand out on white as well as on black.
INK = "#7d7d7d"
GRID = "#80808055"
BAD = "#d9534f"
GOOD = "#2f9e63"
BOUND = "#c98a1b"
COLORS = ("#3b82c4", "#c9772b", "#2f9e63", "#a35fc0", "#c2527a", "#2a9aa5", "#8f8a2f", "#6f76d8")

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "saltroni",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}


def svg(paint, words):
    """An SVG image, as text.

    Args:
        paint: draws on ``new``, which gives a figure, and returns the figure. ``new`` takes width and height, and what
            is left free around for words: ``left``, ``right``, ``bottom``, ``top``; all in inches. (matplotlib's own layouts measure
            each word, which takes most of the time that drawing takes.)
        words: what the picture shows, for those who don't see it.
    """
    with matplotlib.rc_context(STYLE):
        figure = paint(_new)
        FigureCanvasSVG(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = re.sub(r"<\?xml[^>]*\?>\s*<!DOCTYPE[^>]*>\s*", "", text)
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace("<svg ", '<svg role="img" ', 1).replace(">", f">\n <title>{escape(words)}</title>", 1)


def _new(width, height, left=0.4, bottom=0.55, top=0.3, right=0.15):
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
    return figure


def room(names):
    """Inches that the longest of ``names`` takes beside an axis."""
    return 0.3 + 0.082 * max((len(short(name)) for name in names), default=0)


def short(text, limit=40):
    """A name that doesn't push the picture aside."""
    text = " ".join(str(text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def color(place):
    """The color of the line number ``place``."""
    return COLORS[place % len(COLORS)]
