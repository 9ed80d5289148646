"""State runs, from the returns of their nodes. Pure."""

import functools
from datetime import timedelta

from saltroni.report import events, state_run


def all_runs(recorded):
    """Runs in the order of their times, numbered from 1. Nodes of one job are one run.

    Args:
        recorded: events in the order of their times.
    """
    jobs = {}
    for event in _once([event for event in recorded if event["kind"] == events.RUN]):
        jobs.setdefault(event["data"].get("jid", event["id"]), []).append(event)
    found = sorted((_run(jid, members) for jid, members in jobs.items()), key=lambda run: (run["began"], run["jid"]))
    for number, run in enumerate(found, start=1):
        run["number"] = number
    return found


def _once(recorded):
    """Without runs that came from a node's spool and from Salt's bus, too: the master gives some another job id."""
    came = {(event["node"], _fingerprint(event)) for event in recorded if not event["data"].get("spooled")}
    return [
        event
        for event in recorded
        if not event["data"].get("spooled") or (event["node"], _fingerprint(event)) not in came
    ]


def _fingerprint(event):
    return slim(event)["data"].get("fingerprint")


def _run(jid, members):
    nodes = sorted((_node(event) for event in members), key=lambda node: node["node"])
    first = members[0]["data"]
    changed, failed = sum(node["changed"] for node in nodes), sum(node["failed"] for node in nodes)
    broken = [node["node"] for node in nodes if node["failed"] or node["error"]]
    dry = any(event["data"].get("dry") for event in members)
    return {
        "jid": jid,
        "began": min(node["began"] for node in nodes),
        "time": max(node["time"] for node in nodes),
        "command": _command(first, dry),
        "full": not first.get("sls"),
        "dry": dry,
        "nodes": nodes,
        "states": sum(node["states"] for node in nodes),
        "changed": changed,
        "failed": failed,
        "broken": broken,
        "unchanged": not changed and not broken and not dry,
        "seconds": max(node["seconds"] for node in nodes),
        "steps": _steps(nodes),
    }


def _command(data, dry):
    words = [data.get("function") or "state.apply", data.get("sls") or "", "test=True" if dry else ""]
    return " ".join(word for word in words if word)


def slim(event):
    """A state run without the states that had nothing to do, of which only their keys matter: most of a run's size.
    The keys are one text, a line each: repeated runs have the same, and it is quickly read.

    Args:
        event: any event; it is changed.
    """
    data = event["data"]
    if event["kind"] != events.RUN or "well" in data:
        return event
    states = data.get("states") or []
    data["fingerprint"] = state_run.fingerprint(data)
    idle, telling, seconds = [], [], 0
    for state in states:
        seconds += state.get("seconds") or 0
        if state.get("result") is True and not state.get("changed"):
            idle.append(state["key"])
        else:
            telling.append(state)
    data.update(well="\n".join(idle), seconds=seconds, states=telling)
    return event


@functools.lru_cache(maxsize=1000)
def _keys(well):
    """Keys of the states that had nothing to do; for repeated runs the same set."""
    return frozenset(well.split("\n")) if well else frozenset()


def _node(event):
    data = slim(event)["data"]
    states, well = data["states"], _keys(data["well"])
    seconds = round(data["seconds"], 1)
    ended = events.moment(event["time"])
    return {
        "node": event["node"],
        "event": event["id"],
        "time": event["time"],
        "began": events.stamp(ended - timedelta(seconds=min(seconds, 86400))),
        "states": len(states) + len(well),
        "changed": sum(1 for state in states if state.get("changed")),
        "failed": sum(1 for state in states if state.get("result") is False),
        "error": event["data"].get("error"),
        "seconds": seconds,
        "all": states,
        "well": well,
    }


def _steps(nodes):
    """Each state that changed something, once for all nodes where it did, in the order in which they ran."""
    steps = {}
    for node in nodes:
        for state in node["all"]:
            if not state.get("changed"):
                continue
            step = steps.setdefault(state["id"], {"id": state["id"], "seconds": {}, "what": {}, "failed": []})
            step["seconds"][node["node"]] = step["seconds"].get(node["node"], 0) + (state.get("seconds") or 0)
            step["what"].setdefault(state["function"].split(".")[0], []).append(state["changed"])
            if state.get("result") is False:
                step["failed"].append(node["node"])
    found = [
        dict(step, nodes=list(step["seconds"]), longest=max(step["seconds"].values()), what=_what(step["what"]))
        for step in steps.values()
    ]
    return _joined(found)


def _joined(steps):
    """Neighbours whose sentences differ in one word are one step: ``Know a, b, c by its name``."""
    joined = []
    for step in steps:
        words = step["id"].split()
        last = joined[-1] if joined else None
        place = _differs(last["words"], words) if last and last["nodes"] == step["nodes"] else None
        if place is None or last["place"] not in (None, place) or step["failed"] or last["failed"]:
            joined.append(dict(step, words=words, place=None, named=[]))
            continue
        last["named"] = (last["named"] or [last["words"][place]]) + [words[place]]
        last.update(place=place, what=last["what"] + step["what"], longest=last["longest"] + step["longest"])
        last["id"] = " ".join([*words[:place], ", ".join(last["named"]), *words[place + 1 :]])
    return joined


def _differs(words, others):
    """Where two sentences of the same length differ, if it is in one word only."""
    if len(words) != len(others) or len(words) < 3:
        return None
    places = [place for place, (one, other) in enumerate(zip(words, others, strict=True)) if one != other]
    return places[0] if len(places) == 1 else None


def _what(lines):
    """What a step changed, each line once. A certificate's file isn't told once more as a file."""
    told = [line for module, found in lines.items() for line in found if module != "file" or "x509" not in lines]
    return list(dict.fromkeys(told))


def latest(runs):
    """``{node: its part of the latest run that was real}``, with the run's number as ``run``."""
    found = {}
    for run in runs:
        if run["dry"]:
            continue
        for node in run["nodes"]:
            found[node["node"]] = dict(node, run=run["number"], full=run["full"])
    return found


def packages(runs):
    """``{package: {version: [nodes]}}`` as the runs installed them; the latest word of a node counts."""
    newest = {}
    for run in runs:
        for node in run["nodes"]:
            for state in node["all"]:
                for package, version in (state.get("packages") or {}).items():
                    newest[package, node["node"]] = version
    found = {}
    for (package, node), version in sorted(newest.items()):
        found.setdefault(package, {}).setdefault(version, []).append(node)
    return found
