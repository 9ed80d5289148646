"""What a reader must know first: what is wrong now, and what the cluster has proven. Pure."""

from saltroni.report.markdown import plain, when

#: A certificate that lives less than this share of what it should have left at least is told: renewal didn't happen.
LATE = 0.9


def warnings(facts, language):
    """What is open, as Markdown sentences, the worst first.

    Args:
        facts: see :func:`saltroni.report.page.gather`.
        language: see :class:`saltroni.report.language.Language`.
    """
    say = language.say
    found = [_open(problem, language) for problem in facts["problems"] if problem["solved"] is None]
    found += _conditions(facts, language)
    missing = [node["name"] for node in facts["nodes"] if node["applied"] is None]
    if missing:
        found.append(say("w_not_applied", nodes=plain(language.names(missing))))
    for drill in facts["unfinished"]:
        found.append(say("w_drill", node=plain(drill["node"]), time=when(drill["time"]), fault=plain(drill["fault"])))
    if not facts["release"]["holds"]:
        found.append(say("w_release"))
    unreadable = facts["log"].unreadable
    if unreadable:
        places = ", ".join(say("w_place", file=name, line=number) for name, number in unreadable[:5])
        found.append(say("w_unreadable", events=language.count(len(unreadable), "unreadable"), places=places))
    return found


def _open(problem, language):
    title = plain(language.fact(problem["title"]))
    if problem["still"]:
        return language.say(
            "w_problem_on", title=title, nodes=plain(language.names(problem["still"])), id=problem["id"]
        )
    return language.say("w_problem", title=title, id=problem["id"])


def _conditions(facts, language):
    say, conditions = language.say, facts["conditions"]
    found = []
    due = facts["model"]["certificates"]["renew_days"] * LATE
    for one in conditions["certificates"]:
        named = {"name": plain(one["name"]), "node": plain(one["node"]), "when": when(one["ends"])}
        if one["left_days"] <= 0:
            found.append(say("w_certificate_ended", **named))
        elif one["left_days"] < due:
            found.append(say("w_certificate", left=language.days(one["left_days"]), **named))
    for one in conditions["watchdogs"]:
        if one["exists"] and one["held"] is False:
            found.append(say("w_watchdog", node=plain(one["node"]), device=plain(one["device"])))
    for one in conditions["archives"]:
        if one["late"]:
            found.append(say("w_archive", node=plain(one["node"]), why=plain(one["why"] or "–")))
    if conditions["pending"]:
        found.append(say("w_restart", nodes=plain(language.names(conditions["pending"]))))
    for phrase, kind in (("w_backup", "backups"), ("w_proof", "proofs")):
        for node, one in sorted(facts["latest_" + kind].items()):
            if not one["passed"]:
                found.append(say(phrase, node=plain(node), time=when(one["time"])))
    return found


def proofs(facts, language):
    """What has been shown, as Markdown sentences."""
    say = language.say
    found = []
    applied = [node for node in facts["nodes"] if node["applied"]]
    clean = [node for node in applied if not node["applied"]["failed"] and not node["applied"]["error"]]
    if applied:
        found.append(say("p_clean", clean=len(clean), nodes=language.count(len(facts["nodes"]), "node")))
    still = next((run for run in reversed(facts["runs"]) if run["unchanged"] and run["full"]), None)
    if still:
        found.append(
            say(
                "p_repeated",
                run=still["number"],
                states=language.count(still["states"], "state"),
                nodes=language.count(len(still["nodes"]), "node"),
            )
        )
    if facts["drills"]:
        found.append(_drill(facts["drills"][-1], language))
    if facts["availability"]:
        row = facts["availability"][-1]
        found.append(
            say("p_available", percent=percent(row["available"], language), window=language.seconds(row["watched_s"]))
        )
    passed = [proof for proof in facts["proofs"] if proof["passed"]]
    if passed:
        last = passed[-1]
        found.append(say("p_backup", time=when(last["time"]), took=language.seconds(last["recovery_s"])))
    if facts["problems"]:
        solved = sum(problem["solved"] is not None for problem in facts["problems"])
        found.append(say("p_problems", problems=language.count(len(facts["problems"]), "problem"), solved=solved))
    return found


def percent(share, language):
    """A share as per cent, never rounded up to all."""
    return language.number(int(share * 100_000) / 1000, 3) + " %"


def _drill(drill, language):
    say = language.say
    leaders = outage = lost = ""
    if drill["old_leader"] and drill["new_leader"]:
        leaders = say("p_leaders", old=plain(drill["old_leader"]), new=plain(drill["new_leader"]))
    if drill["outage_s"] is not None and drill["bound_s"] is not None:
        outage = say(
            "p_outage_of", outage=language.seconds(drill["outage_s"]), bound=language.seconds(drill["bound_s"])
        )
    elif drill["outage_s"] is not None:
        outage = say("p_outage", outage=language.seconds(drill["outage_s"]))
    if drill["lost"] is not None:
        lost = say("p_lost", lost=language.number(drill["lost"]), acknowledged=language.number(drill["acknowledged"]))
    return say(
        "p_drill",
        fault=plain(drill["fault"]),
        time=when(drill["time"]),
        verdict=say("p_passed" if drill["passed"] else "p_not_passed"),
        leaders=leaders,
        outage=outage,
        lost=lost,
    )
