"""A suite in words: a line for each fault while it runs, a table at its end. Pure."""


def seconds(value):
    """``0.81 s``, or ``-``."""
    return "-" if value is None else f"{value:.2f} s"


def spread(found):
    """Least, median and most as ``0.71 / 0.81 / 0.99 s``, one figure where they are the same."""
    if not found:
        return "-"
    if found["least"] == found["most"]:
        return seconds(found["most"])
    return f"{found['least']:.2f} / {found['median']:.2f} / {found['most']:.2f} s"


def clock(elapsed_s):
    """``1:02:03``"""
    minutes, rest = divmod(int(elapsed_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def leaders(each):
    """``pg1 -> pg2 -> pg1``: who led before, and after each round."""
    path = [str(one.get("old_leader")) for one in each[:1]] + [str(one.get("new_leader")) for one in each]
    return " -> ".join(path)


def line(fault, row, elapsed_s):
    """What came of one fault.

    Args:
        row: of a suite's ``done``, see :mod:`saltroni.drill.suite`.
        elapsed_s: since the suite began.
    """
    if "skipped" in row:
        return f"[{clock(elapsed_s)}] {fault}: skipped: {row['skipped']}"
    parts = [
        leaders(row["each"]),
        f"writes out {spread(row['outage_s'])} of {seconds(row['bound_s'])} promised",
        f"{row['lost']} of {row['acknowledged']} rows lost",
        f"whole after {spread(row['time_to_whole_s'])}",
        f"{row['rounds']} round{'s' if row['rounds'] > 1 else ''} in {row['took_s']:.0f} s",
        "; ".join([row["verdict"], *row["reasons"]]),
    ]
    return f"[{clock(elapsed_s)}] {fault}: " + ", ".join(parts)


HEAD = ("fault", "rounds", "least / median / most", "bound", "lost", "verdict")


def table(state):
    """The end of a suite as lines: every fault, then totals."""
    rows, skipped = [HEAD], []
    for fault in state["asked"]["faults"]:
        row = state["done"].get(fault)
        if row is None:
            rows.append((fault, "-", "-", "-", "-", "not done"))
        elif "skipped" in row:
            skipped.append(f"skipped {fault}: {row['skipped']}")
        else:
            lost = f"{row['lost']} of {row['acknowledged']}"
            rows.append(
                (fault, str(row["rounds"]), spread(row["outage_s"]), seconds(row["bound_s"]), lost, row["verdict"])
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    found = totals(state)
    lines.append(
        f"{found['faults']} faults, {found['rounds']} drills, {found['skipped']} skipped, {found['left']} not done; "
        f"{found['lost']} of {found['acknowledged']} acknowledged rows lost; {state['verdict'] or 'not over'}"
    )
    return lines + skipped + [f"why: {reason}" for reason in state["reasons"]]


def totals(state):
    """``{faults, rounds, skipped, left, acknowledged, lost}`` of a suite."""
    done = _made(state).values()
    return {
        "faults": len(done),
        "rounds": sum(row["rounds"] for row in done),
        "skipped": len(state["done"]) - len(done),
        "left": len(state["asked"]["faults"]) - len(state["done"]),
        "acknowledged": sum(row["acknowledged"] for row in done),
        "lost": sum(row["lost"] for row in done),
    }


def by_fault(state):
    """For each fault that was done ``{fault, rounds, outage_s, bound_s, lost, acknowledged, verdict}``; ``outage_s`` is
    the longest one."""
    return [
        {
            "fault": fault,
            **{name: row[name] for name in ("rounds", "bound_s", "lost", "acknowledged", "verdict")},
            "outage_s": row["outage_s"]["most"] if row["outage_s"] else None,
        }
        for fault, row in _made(state).items()
    ]


def _made(state):
    return {fault: row for fault, row in state["done"].items() if "skipped" not in row}
