"""Replicas' lag around a drill's fault."""


def picture(drill, language):
    """See :func:`saltroni.report.pictures.plan`; None where lag wasn't sampled."""
    lines = {}
    for at, lags in drill["lag"]:
        for member, lag in lags.items():
            lines.setdefault(member, []).append((at, lag / 2**20))
    lines = {member: points for member, points in sorted(lines.items())[:8] if len(points) > 1}
    if not lines:
        return None
    shown = (lines, language.say("after_fault"), language.say("pic_lag"))
    most = [
        language.say("alt_lag_member", member=member, lag=language.size(max(lag for _, lag in points) * 2**20))
        for member, points in lines.items()
    ]
    return lambda new: _paint(new, *shown), shown, language.say("alt_lag", members="; ".join(most))


def _paint(new, lines, across, upward):
    from saltroni.report.pictures import canvas

    figure = new(8.5, 2.4, left=0.75, top=0.1)
    axes = figure.add_subplot()
    for place, (member, points) in enumerate(lines.items()):
        axes.plot(*zip(*points, strict=True), color=canvas.color(place), label=canvas.short(member))
    axes.axvline(0, color=canvas.BAD, linewidth=1)
    axes.set_xlabel(across)
    axes.set_ylabel(upward)
    axes.locator_params(nbins=5)
    axes.set_ylim(bottom=0)
    axes.grid(color=canvas.GRID)
    axes.legend(loc="upper right")
    return figure
