"""A drill's outage of writes with its phases."""

SHORT = {
    "leader_key_gone_s": "pic_key_gone",
    "new_leader_s": "pic_new_leader",
    "promoted_s": "pic_promoted",
    "balancer_up_s": "pic_balancer",
    "first_commit_s": "pic_first_commit",
}


def picture(drill, language):
    """See :func:`saltroni.report.pictures.plan`; None where no outage was measured."""
    if drill["broken_off"] or drill["outage_s"] is None:
        return None
    told = [(name, value) for name, value in drill["phases"] if value is not None]
    marks = [(language.say(SHORT[name]), value) for name, value in told if name in SHORT]
    labels = {
        "axis": language.say("pic_drill"),
        "out": f"{language.say('pic_out')}: {language.seconds(drill['outage_s'])}",
        "bound": f"{language.say('pic_bound')}: {language.seconds(drill['bound_s'])}",
    }
    # the client that waited longest got its last commit a moment before the fault, or after
    first = next((value for name, value in told if name == "first_commit_s"), drill["outage_s"])
    shown = (marks, drill["outage_s"], drill["bound_s"], first, drill["passed"], labels)
    phases = [language.say("alt_drill_phase", words=language.say(n), seconds=language.seconds(v)) for n, v in told]
    words = language.say(
        "alt_drill",
        fault=drill["fault"],
        phases="; ".join(phases) or "–",
        outage=language.seconds(drill["outage_s"]),
        bound=language.seconds(drill["bound_s"]),
    )
    return lambda new: _paint(new, *shown), shown, words


def _paint(new, marks, outage_s, bound_s, first_s, passed, labels):
    from saltroni.report.pictures import canvas

    figure = new(8.5, 2.4, left=0.15, top=0.05)
    axes = figure.add_subplot()
    color = canvas.GOOD if passed else canvas.BAD
    axes.barh(1, outage_s, left=max(0.0, first_s - outage_s), height=0.5, color=color)
    axes.text(max(0.0, first_s - outage_s), 1.36, labels["out"], va="bottom", color=color, fontsize=10)
    if bound_s is not None:
        axes.barh(0, bound_s, height=0.28, color=canvas.BOUND + "66")
        axes.text(0, 0.2, labels["bound"], va="bottom", fontsize=9)
    marks = sorted(marks, key=lambda mark: mark[1])
    moments, heights = [value for _, value in marks], [1.95 + 0.42 * (place % 3) for place in range(len(marks))]
    axes.vlines(moments, 0.72, heights, color=canvas.INK, linewidth=1)
    axes.plot(moments, [1] * len(marks), "o", color=canvas.INK, markersize=4)
    for (words, value), height in zip(marks, heights, strict=True):
        beside = {"xytext": (3, 0), "textcoords": "offset points"}
        axes.annotate(words, (value, height), **beside, va="center", fontsize=8.5)
    last = max([outage_s, bound_s or 0, first_s, *moments])
    axes.set_xlim(0, last * 1.18 + 0.05)
    axes.set_ylim(-0.4, 3.1)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(labels["axis"])
    axes.grid(axis="x", color=canvas.GRID)
    return figure
