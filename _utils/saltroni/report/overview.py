"""What a reader must know first: what is wrong now, and what the cluster has proven. Pure."""

from saltroni.report import markdown


def warnings(facts):
    """What is open, as Markdown sentences, the worst first.

    Args:
        facts: see :func:`saltroni.report.page.gather`.
    """
    found = [_open(problem) for problem in facts["problems"] if problem["solved"] is None]
    missing = [node["name"] for node in facts["nodes"] if node["applied"] is None]
    if missing:
        found.append(
            f"No state run was recorded for {markdown.names(missing)}: run `salt '*' state.apply` if none is under way."
        )
    for drill in facts["unfinished"]:
        found.append(
            f"The drill that began on {markdown.plain(drill['node'])} at {markdown.when(drill['time'])} "
            f"({markdown.plain(drill['fault'])}) has not reported its end."
        )
    if not facts["release"]["holds"]:
        found.append("HAProxy may keep a frozen leader longer than its lease: see *Settings that matter*.")
    if facts["log"].unreadable:
        places = ", ".join(f"{name} line {number}" for name, number in facts["log"].unreadable[:5])
        found.append(f"{markdown.count(len(facts['log'].unreadable), 'recorded event')} can't be read: {places}.")
    return found


def _open(problem):
    where = f" on {markdown.plain(markdown.names(problem['still']))}" if problem["still"] else ""
    return f"{markdown.plain(problem['title'])}{where} (problem {problem['id']}, not solved yet)."


def proofs(facts):
    """What has been shown, as Markdown sentences."""
    found = []
    applied = [node for node in facts["nodes"] if node["applied"]]
    clean = [node for node in applied if not node["applied"]["failed"] and not node["applied"]["error"]]
    if applied:
        found.append(
            f"{len(clean)} of {markdown.count(len(facts['nodes']), 'node')} ended their latest state run "
            "without a failure."
        )
    still = next((run for run in reversed(facts["runs"]) if run["unchanged"] and run["full"]), None)
    if still:
        found.append(
            f"A repeated run changed nothing: run {still['number']} checked "
            f"{markdown.count(still['states'], 'state')} on {markdown.count(len(still['nodes']), 'node')}, "
            "0 changed, 0 failed."
        )
    if facts["drills"]:
        found.append(_drill(facts["drills"][-1]))
    solved = sum(problem["solved"] is not None for problem in facts["problems"])
    if facts["problems"]:
        found.append(f"{markdown.count(len(facts['problems']), 'problem')} met, {solved} solved.")
    return found


def _drill(drill):
    said = f"The latest drill ({markdown.plain(drill['fault'])}, {markdown.when(drill['time'])}) "
    said += "**passed**" if drill["passed"] else "was **not passed**"
    if drill["old_leader"] and drill["new_leader"]:
        said += f": {markdown.plain(drill['old_leader'])} failed, {markdown.plain(drill['new_leader'])} leads"
    if drill["outage_s"] is not None:
        said += f"; writes were out for {markdown.seconds(drill['outage_s'])}"
        if drill["bound_s"] is not None:
            said += f" of the {markdown.seconds(drill['bound_s'])} allowed"
    if drill["lost"] is not None:
        said += f"; {drill['lost']:,} of {markdown.number(drill['acknowledged'])} acknowledged rows were lost"
    return said + "."
