"""Who led over time."""

from saltroni.report import events
from saltroni.report.markdown import when

#: Spans that are drawn, the latest ones, and that the text tells.
MOST, TOLD = 200, 12


def picture(spans, language):
    """See :func:`saltroni.report.pictures.plan`; None where the leader never changed."""
    spans = spans[-MOST:]
    if len(spans) < 2:
        return None
    told = [
        language.say("alt_span", leader=span["leader"], begin=when(span["begin"]), end=when(span["end"]))
        for span in spans[-TOLD:]
    ]
    shown = ([(span["leader"], span["begin"], span["end"]) for span in spans], language.say("pic_leaders"))
    return lambda new: _paint(new, *shown), shown, language.say("alt_leaders", spans="; ".join(told))


def _paint(new, spans, title):
    from matplotlib import dates

    from saltroni.report.pictures import canvas

    leaders = sorted({leader for leader, _, _ in spans})
    figure = new(8.5, 1.0 + 0.4 * len(leaders), left=canvas.room(leaders), right=0.5)
    axes = figure.add_subplot()
    for place, leader in enumerate(leaders):
        ranges = [dates.date2num([events.moment(b), events.moment(e)]) for one, b, e in spans if one == leader]
        bars = [(begin, max(end - begin, 1e-6)) for begin, end in ranges]
        axes.broken_barh(bars, (place - 0.3, 0.6), color=canvas.color(place))
    axes.set_yticks(range(len(leaders)), [canvas.short(leader) for leader in leaders])
    axes.invert_yaxis()
    locator = dates.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m-%d\n%H:%M:%S"))
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(axis="x", color=canvas.GRID)
    return figure
