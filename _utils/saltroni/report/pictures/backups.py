"""Sizes of backups and times of restores."""

from saltroni.report import events

MOST = 200


def picture(backups, proofs, language):
    """See :func:`saltroni.report.pictures.plan`; None where neither is known."""
    sizes = [(one["time"], one["bytes"]) for one in backups if one["passed"] and one["bytes"] is not None][-MOST:]
    times = [(one["time"], one["recovery_s"]) for one in proofs if one["recovery_s"] is not None][-MOST:]
    if not sizes and not times:
        return None
    shown = (sizes, times, language.say("pic_size"), language.say("pic_restore"))
    words = language.say(
        "alt_backups",
        backups=len(sizes),
        size=language.size(sizes[-1][1]) if sizes else "–",
        proofs=len(times),
        took=language.seconds(times[-1][1]) if times else "–",
    )
    return lambda new: _paint(new, *shown), shown, words


def _paint(new, sizes, times, size_words, time_words):
    from matplotlib import dates

    from saltroni.report.pictures import canvas

    figure = new(8.5, 2.6, left=0.6, bottom=0.5, right=0.3)
    places = figure.subplots(1, 2, gridspec_kw={"wspace": 0.2})
    mib = [(moment, size / 2**20) for moment, size in sizes]
    for axes, points, words, color in zip(places, (mib, times), (size_words, time_words), canvas.COLORS, strict=False):
        if points:
            moments = [dates.date2num(events.moment(moment)) for moment, _ in points]
            axes.plot(moments, [value for _, value in points], marker="o", markersize=4, color=color)
        axes.set_ylim(bottom=0)
        axes.set_title(words, loc="left", fontsize=10)
        axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=4))
        axes.xaxis.set_major_formatter(dates.DateFormatter("%m-%d\n%H:%M"))
        axes.grid(color=canvas.GRID)
    return figure
