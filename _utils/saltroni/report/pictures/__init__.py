"""The report's pictures: SVG files beside the page, and for each a text that says the same.

A picture is drawn anew only when what it shows has changed: drawing takes far longer than writing the page.

canvas    how all pictures look
topology  the cluster's nodes and who talks to whom
drill     a drill's outage with its phases
lag       replicas' lag around a drill's fault
outages   outages of drills against their bounds, by fault
leaders   who led over time
backups   sizes of backups, times of restores
"""

import hashlib
import json
from importlib import metadata

from saltroni import clusters
from saltroni.report.pictures import backups, drill, lag, leaders, outages, topology

FOLDER = "pictures"
#: Changed when pictures are to be drawn anew though they show the same.
LOOK = 2
KNOWN = "drawn.json"


def plan(facts, language):
    """Pictures that the facts allow: ``{name: (draw, what is shown, text)}``. Pure.

    Args:
        facts: see :func:`saltroni.report.page.gather`.
        language: see :class:`saltroni.report.language.Language`.
    """
    wanted = {
        "topology": topology.picture(facts["model"], language),
        "leaders": leaders.picture(facts["leaders"], language),
        "outages": outages.picture(facts["drills"], facts["faults"], language),
        "backups": backups.picture(facts["backups"], facts["proofs"], language),
    }
    for one in facts["drills_shown"]:
        wanted[one["picture"]] = drill.picture(one, language)
        wanted[one["lag_picture"]] = lag.picture(one, language)
    return {name: made for name, made in wanted.items() if made}


def draw(folder, facts, language, suffix=""):
    """Draw what has changed, and remove what is shown no more.

    Args:
        folder: the report's folder.
        suffix: what tells the pictures of one language from those of another.

    Returns:
        ``{name: (path relative to folder, text)}``; empty where matplotlib isn't installed.

    Raises:
        OSError
    """
    version = _version()
    if version is None:
        return {}
    place = folder / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    known = _known(place / (KNOWN + suffix))
    made, drawn = {}, {}
    for name, (paint, shown, words) in plan(facts, language).items():
        file = f"{name}{suffix}.svg"
        digest = _digest([LOOK, version, language.code, shown])
        if known.get(file) != digest or not (place / file).exists():
            from saltroni.report.pictures import canvas  # takes a second, and memory, that most writings don't need

            clusters.write(place / file, canvas.svg(paint, words), mode=0o644)
        drawn[file] = digest
        made[name] = (f"{FOLDER}/{file}", words)
    for old in set(known) - set(drawn):
        (place / old).unlink(missing_ok=True)
    if drawn != known:
        clusters.write(place / (KNOWN + suffix), json.dumps(drawn))
    return made


def _version():
    """matplotlib's, None where it isn't installed."""
    try:
        return metadata.version("matplotlib")
    except metadata.PackageNotFoundError:
        return None


def _known(path):
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: digest for name, digest in known.items() if "/" not in name} if isinstance(known, dict) else {}


def _digest(shown):
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:24]
