"""Problems met, each with what solved it. Pure.

A problem is a state that failed, a run that couldn't begin, a drill that wasn't passed, or what a person noted.
A failed state is solved when the same state succeeds on the same node, or is no longer part of a later full run that
nothing failed in. A failed drill is solved when a later drill with the same fault is passed.
"""

import hashlib
import re

from saltroni.report import events, tidy

DRILL = "drill/finished"
UNREADABLE = "spool/unreadable"
NOTED = "problem/noted"
EXPLAINED = "problem/explained"


def all_problems(recorded, runs):
    """Open problems first, then in the order in which they were met.

    Returns:
        dicts with ``id``, ``kind``, ``title``, ``said``, ``nodes``, ``met``, ``times``, ``solved`` (the time, or None),
        ``how``, ``explanations``, and ``covers``: ids of what it is made of. ``title`` and ``how`` are phrases.
    """
    found = _of_states(runs) + _of_drills(recorded) + _of_spools(recorded) + _of_people(recorded)
    for problem in found:
        problem["id"] = "P-" + hashlib.sha256(problem["covers"][0].encode()).hexdigest()[:6]
    _explain(found, recorded)
    return sorted(found, key=lambda problem: (problem["solved"] is not None, problem["met"], problem["id"]))


def _of_states(runs):
    """Failures of one state on several nodes that say the same are one problem."""
    failures = {}
    for run in runs:
        if run["dry"]:
            continue
        for node in run["nodes"]:
            _solve(failures, run, node)
            for failure in _failures(node):
                _meet(failures, run, node, failure)
    names = _names({node["node"] for run in runs for node in run["nodes"]})
    grouped = {}
    for failure in (one for keys in failures.values() for episodes in keys.values() for one in episodes):
        key = (str(failure["title"]), _shape(failure["said"], names), failure["run"])
        grouped.setdefault(key, []).append(failure)
    return [_problem(group) for group in grouped.values()]


def _failures(node):
    """What failed on a node: ``(key, title, said, held back)``."""
    if node["error"]:
        return [("run", ("pt_run", {}), node["error"], [])]
    failed = [state for state in node["all"] if state.get("result") is False]
    causes = [state for state in failed if not state.get("held_back")]
    held = [state["id"] for state in failed if state.get("held_back")]
    # a requisite that didn't fail itself: then the states that waited are all there is to tell
    return [
        (
            state["key"],
            ("pt_state", {"state": state["id"]}),
            state.get("comment") or ("ps_no_reason", {}),
            held if place == 0 else [],
        )
        for place, state in enumerate(causes or failed)
    ]


def _meet(failures, run, node, failure):
    key, title, said, held = failure
    episodes = failures.setdefault(node["node"], {}).setdefault(key, [])
    if episodes and episodes[-1]["solved"] is None:
        episodes[-1]["times"] += 1
        episodes[-1]["last"] = node["time"]
        return
    episodes.append(
        {
            "title": title,
            "said": said,
            "held": held,
            "node": node["node"],
            "met": node["time"],
            "last": node["time"],
            "times": 1,
            "run": run["number"],
            "solved": None,
            "how": None,
            "cover": f"{node['event']}|{key}",
        }
    )


def _solve(failures, run, node):
    """Close what this run of a node shows to be well again."""
    if node["node"] not in failures:
        return
    states = {state["key"]: state for state in node["all"]}
    clean = run["full"] and not node["failed"] and not node["error"]
    for key, episodes in failures[node["node"]].items():
        last = episodes[-1]
        if last["solved"]:
            continue
        state = {"result": True} if key in node["well"] else states.get(key)
        if key == "run":
            done = not node["error"] and run["full"]
            how = ("ph_began", {}) if done else None
        elif state and state.get("result") is True:
            what = state.get("changed")
            how = ("ph_succeeded_what", {"what": what}) if what else ("ph_succeeded", {})
        elif clean and not state:
            how = ("ph_gone", {})
        else:
            how = None
        if how:
            last.update(solved=node["time"], how=how, solved_run=run["number"])


def _names(nodes):
    """A pattern for the names of nodes, as whole words: a node may be called like a part of what is said."""
    longest_first = sorted(nodes, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def _shape(said, names):
    """``said`` without what differs between nodes."""
    return re.sub(r"\d+", "#", names.sub("NODE", str(said)))[:400]


def _problem(group):
    first = min(group, key=lambda failure: (failure["met"], failure["node"]))
    still = [failure["node"] for failure in group if failure["solved"] is None]
    return {
        "kind": "state",
        "title": first["title"],
        "said": first["said"],
        "held": first["held"],
        "nodes": sorted({failure["node"] for failure in group}),
        "still": sorted(still),
        "met": first["met"],
        "run": first["run"],
        "times": max(failure["times"] for failure in group),
        "solved": None if still else max(failure["solved"] for failure in group),
        "solved_run": None if still else max(failure["solved_run"] for failure in group),
        "how": None if still else max(group, key=lambda failure: failure["solved"])["how"],
        "covers": sorted(failure["cover"] for failure in group),
    }


def _told(event, kind, title, said, how=None):
    """The problem that one event is; it is solved already where ``how`` is given."""
    return {
        "kind": kind,
        "title": title,
        "said": said,
        "held": [],
        "nodes": [event["node"]],
        "still": [],
        "met": event["time"],
        "run": None,
        "times": 1,
        "solved": event["time"] if how else None,
        "solved_run": None,
        "how": how,
        "covers": [event["id"]],
    }


def _of_drills(recorded):
    found, unsolved = [], {}
    for event in recorded:
        if event["kind"] != DRILL:
            continue
        fault = str(event["data"].get("fault") or "unknown fault")
        if event["data"].get("verdict") == "passed":
            for problem in unsolved.pop(fault, []):
                problem.update(solved=event["time"], how=("ph_drill", {}))
            continue
        reasons = event["data"].get("reasons")
        said = "\n".join(str(reason) for reason in reasons) if isinstance(reasons, list) else str(reasons or "")
        problem = _told(event, "drill", ("pt_drill", {"fault": fault}), said or ("ps_no_reason", {}))
        found.append(problem)
        unsolved.setdefault(fault, []).append(problem)
    return found


def _of_spools(recorded):
    """Files in nodes' spools that no event could be read from. They are gone once they have been told."""
    return [
        _told(
            event,
            "spool",
            ("pt_spool", {"node": event["node"]}),
            ("ps_spool", {name: tidy.line(event["data"].get(name)) for name in ("file", "why")}),
            how=("ph_spool", {}),
        )
        for event in recorded
        if event["kind"] == UNREADABLE
    ]


def _of_people(recorded):
    found = []
    for event in recorded:
        if event["kind"] != NOTED:
            continue
        data = event["data"]
        solution = data.get("solution")
        title, said = ("pt_note", {"title": str(data.get("title"))}), str(data.get("text") or "")
        how = ("ph_note", {"text": str(solution)}) if solution else None
        found.append({**_told(event, "note", title, said, how), "nodes": []})
    return found


def _explain(found, recorded):
    for problem in found:
        problem["explanations"] = []
    for event in recorded:
        if event["kind"] != EXPLAINED:
            continue
        covered = set(event["data"].get("covers") or [])
        for problem in found:
            if covered & set(problem["covers"]):
                problem["explanations"].append({"time": event["time"], "text": str(event["data"].get("text"))})
                if event["data"].get("solved") and problem["solved"] is None:
                    problem.update(solved=event["time"], how=("ph_person", {}))


def named(problems, identity):
    """The problem with this id, or None."""
    return next((problem for problem in problems if problem["id"] == identity), None)


def explanation(cluster, problem, text, solved):
    """The event by which a person explains ``problem``."""
    return events.note(cluster, "explained", {"covers": problem["covers"], "text": text, "solved": bool(solved)})
