"""The cluster's nodes, and who talks to whom."""

import textwrap

#: Ports that are shown.
USED = ("leader", "replicas", "synchronous")


def picture(model, language):
    """See :func:`saltroni.report.pictures.plan`."""
    roles, ports = model["by_role"], model["haproxy"]["ports"]
    rows = [
        (language.say("t_apps"), [], None),
        (language.say("t_balancers"), roles["haproxy"], language.say("t_ports", **{k: ports[k] for k in USED})),
        (language.say("t_databases", version=model["postgresql"]["version"]), roles["patroni"], None),
        (language.say("t_consensus"), roles["etcd"], language.say("t_lease")),
    ]
    shown = [
        (title, [(name, model["nodes"][name]["address"]) for name in members], arrow)
        for title, members, arrow in rows
        if members or title == rows[0][0]
    ]
    words = language.say(
        "alt_topology",
        balancers=language.names(roles["haproxy"]) or "–",
        databases=language.names(roles["patroni"]) or "–",
        consensus=language.names(roles["etcd"]) or "–",
    )
    return lambda new: _paint(new, shown), shown, words


def _paint(new, rows):
    from saltroni.report.pictures import canvas

    figure = new(8.5, 1.0 * len(rows) + 0.1, left=0.1, bottom=0.05, top=0.05)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(-len(rows) + 0.6, 0.4)
    for place, (title, members, arrow) in enumerate(rows):
        row_color = canvas.color(place)
        axes.text(0.05, -place, textwrap.fill(title, 26), va="center", fontweight="bold", fontsize=10)
        boxes = members or [(None, None)]
        width = min(1.5, 5.4 / len(boxes))
        for number, (name, address) in enumerate(boxes):
            middle = 5.9 + (number - (len(boxes) - 1) / 2) * (width + 0.12)
            said = f"{canvas.short(name, 12)}\n{address}" if name else "…"
            box = {"boxstyle": "round,pad=0.35", "facecolor": row_color + "22", "edgecolor": row_color}
            axes.text(middle, -place, said, ha="center", va="center", fontsize=9, bbox=box)
        if place:
            style = "<->" if place == len(rows) - 1 else "->"
            place_xy = {"xy": (5.9, -place + 0.28), "xytext": (5.9, -place + 0.72)}
            axes.annotate("", **place_xy, arrowprops={"arrowstyle": style, "color": canvas.INK})
            if arrow:
                axes.text(6.05, -place + 0.5, textwrap.fill(arrow, 44), fontsize=8, va="center")
    return figure
