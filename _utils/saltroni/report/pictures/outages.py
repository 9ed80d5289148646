"""Outages of drills against what was promised, by fault."""

#: Faults that are drawn.
MOST = 40


def picture(drills, faults, language):
    """See :func:`saltroni.report.pictures.plan`; None where no outage was measured."""
    rows = []
    for row in [row for row in faults if row["least"] is not None][:MOST]:
        measured = [
            drill["outage_s"] for drill in drills if drill["fault"] == row["fault"] and drill["outage_s"] is not None
        ]
        rows.append((row["fault"], measured[-200:], max(row["bounds"], default=None)))
    if not rows:
        return None
    said = [
        language.say(
            "alt_fault",
            fault=fault,
            least=language.seconds(min(measured)),
            greatest=language.seconds(max(measured)),
            bound=language.seconds(bound),
        )
        for fault, measured, bound in rows
    ]
    shown = (rows, language.say("pic_outages"), language.say("pic_bound"))
    return lambda new: _paint(new, *shown), shown, language.say("alt_outages", faults="; ".join(said))


def _paint(new, rows, across, bound_words):
    from saltroni.report.pictures import canvas

    left = canvas.room([fault for fault, _, _ in rows])
    figure = new(8.5, 0.9 + 0.38 * len(rows), left=left, top=0.1)
    axes = figure.add_subplot()
    for place, (_, measured, bound) in enumerate(rows):
        if bound is not None:
            label = bound_words if place == 0 else None
            axes.barh(place, bound, height=0.6, color=canvas.BOUND + "55", label=label)
        for color, kept in ((canvas.COLORS[0], True), (canvas.BAD, False)):
            points = [value for value in measured if (bound is None or value <= bound) is kept]
            axes.plot(points, [place] * len(points), "o", color=color, markersize=4.7)
    axes.set_yticks(range(len(rows)), [canvas.short(fault) for fault, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(across)
    axes.grid(axis="x", color=canvas.GRID)
    if any(bound is not None for _, _, bound in rows):
        axes.legend(loc="lower right", fontsize=9)
    return figure
