"""What one node returned from a state run, reduced to what the report needs. Pure."""

import hashlib

from saltroni.report import changed, tidy

FUNCTIONS = ("state.apply", "state.highstate", "state.sls", "state.sls_id")
LARGEST = 2000  # states of one run that are kept
HELD_BACK = "One or more requisite failed"


def compact(function, arguments, returned, retcode):
    """The run of one node.

    Args:
        function: one of :data:`FUNCTIONS`.
        arguments: what it was called with.
        returned: its return: a dict of states, or what went wrong before any state ran.
        retcode: its exit code.

    Returns:
        ``{function, sls, dry, error, states}``; a state is ``{key, id, function, result, seconds}`` and, where
        something happened, ``name``, ``comment``, ``changed``, ``packages``, ``held_back``.
    """
    sls, dry = _called(arguments)
    run = {"function": function, "sls": sls, "dry": dry, "error": None, "states": []}
    if isinstance(returned, dict) and all(isinstance(state, dict) and "result" in state for state in returned.values()):
        ordered = sorted(returned.items(), key=lambda item: tidy.number(item[1].get("__run_num__")) or 0)
        run["states"] = [_state(label, state) for label, state in ordered[:LARGEST]]
        dry_states = [state for state in run["states"] if state["result"] is None]
        run["dry"] = dry or bool(dry_states)
        return run
    lines = returned if isinstance(returned, list) else [returned]
    if retcode or isinstance(returned, list):
        run["error"] = tidy.text("\n".join(map(_reason, lines[:20])) or "no reason was returned", 4000)
    return run


def failed(run):
    """Whether something in a :func:`compact` run went wrong."""
    return bool(run["error"]) or any(state["result"] is False for state in run["states"])


def normal(run):
    """A run that a node compacted itself, held to the shape that :func:`compact` gives."""
    states = run.get("states") if isinstance(run.get("states"), list) else []
    return {
        "function": run["function"] if run.get("function") in FUNCTIONS else FUNCTIONS[0],
        "sls": tidy.line(run.get("sls") or "", 200),
        "dry": run.get("dry") is True,
        "error": tidy.text(run["error"], 4000) if run.get("error") else None,
        "states": [_normal_state(state) for state in states[:LARGEST] if isinstance(state, dict)],
        "by_minion": run.get("by_minion") is True,
    }


def _normal_state(state):
    kept = {
        "key": tidy.line(state.get("key") or "", 500),
        "id": tidy.line(state.get("id") or "", 200),
        "function": tidy.line(state.get("function") or "unknown", 80),
        "result": state.get("result") if state.get("result") in (True, False, None) else False,
        "seconds": max(0.0, float(tidy.number(state.get("seconds")) or 0.0)),
    }
    for name, limit in (("name", 200), ("changed", changed.LIMIT), ("comment", 2000)):
        if state.get(name):
            kept[name] = tidy.text(state[name], limit)
    if kept.get("changed") and isinstance(state.get("packages"), dict):
        kept["packages"] = {
            tidy.line(name, 80): tidy.line(version, 60) for name, version in list(state["packages"].items())[:500]
        }
    if state.get("held_back") is True:
        kept["held_back"] = True
    return kept


def fingerprint(run):
    """The same for the same run of a node, whichever way it came: each state's result and its time in milliseconds."""
    told = [(state.get("key"), state.get("result"), state.get("seconds")) for state in run.get("states") or []]
    return hashlib.sha256(repr((told, run.get("error"))).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _reason(error):
    """What an error says, without Python's traceback and the lines of the template."""
    text = str(error)[:2000]
    return text.split("\nTraceback (most recent call last)")[0].split("\n\n---\n")[0].strip()


def _called(arguments):
    """Which SLS files, and whether only as a test; other arguments may hold secrets and are forgotten."""
    sls, dry = "", False
    for argument in arguments if isinstance(arguments, (list, tuple)) else []:
        if isinstance(argument, dict):
            dry = dry or argument.get("test") is True
            sls = sls or tidy.line(argument.get("mods") or "", 200)
        elif isinstance(argument, str) and argument.lower() == "test=true":
            dry = True
        elif isinstance(argument, str) and "=" not in argument and not sls:
            sls = tidy.line(argument, 200)
    return sls, dry


def _state(label, state):
    parts = str(label).split("_|-")
    function = tidy.line(f"{parts[0]}.{parts[-1]}", 80) if len(parts) == 4 else "unknown"
    name = tidy.line(state.get("name") or "", 200)
    identity = tidy.line(state.get("__id__") or (parts[1] if len(parts) == 4 else label), 200)
    result = state.get("result") if state.get("result") in (True, False, None) else False
    changes = state.get("changes") if result is not None else {}
    kept = {
        "key": f"{function}|{identity}|{name}",
        "id": identity,
        "function": function,
        "result": result,
        "seconds": round(_milliseconds(state.get("duration")) / 1000, 3),
    }
    comment = _comment(state.get("comment"))
    line = changed.sentence(function, name, changes, comment)
    if line:
        kept["changed"] = line
        kept["packages"] = changed.packages(function, changes)
    if line or result is False:
        kept["name"] = name
    if result is False:
        kept["comment"] = comment
        kept["held_back"] = comment.startswith(HELD_BACK)
    return kept


def _comment(comment):
    if isinstance(comment, list):
        comment = "\n".join(str(part)[:2000] for part in comment[:20])
    return tidy.text(comment or "", 2000)


def _milliseconds(duration):
    try:
        number = tidy.number(float(str(duration).removesuffix(" ms").strip()))
    except ValueError:
        number = None
    return max(0.0, number or 0.0)
