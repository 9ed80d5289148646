"""A cluster's report on disk: Markdown, pictures, one HTML page, JSON; each file is written whole."""

import contextlib
import gc
import json
from pathlib import Path

from saltroni import clusters
from saltroni.report import page, pictures, slim, store, webpage
from saltroni.report.language import Language

#: What of the facts is in the JSON, which programs read.
TOLD = (
    "now", "events", "first", "last", "nodes", "versions", "runs", "problems", "failovers", "leaders", "availability",
    "drills", "faults", "suites", "unfinished", "backups", "proofs", "recovery_point", "conditions", "release", "bounds",
)  # fmt: skip


def language_of(model):
    """The report's language, as the pillar says."""
    return (model.get("report") or {}).get("language", "en")


@contextlib.contextmanager
def _no_collector():
    """Python's search for cycles looks at all events again and again as the page grows. There
    are hardly any."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_no_collector()
def write(folder, model, now=None, language=None):
    """Write the report of one cluster.

    Args:
        folder: the cluster's folder on the master.
        model: the cluster's model.
        now: the page's time.
        language: ``en`` or ``ru``: another one than the pillar's is written beside it, as ``REPORT.ru.md``.

    Returns:
        ``{path, events, runs, problems, open, drills, failovers, pictures}``

    Raises:
        StoreError, OSError, jinja2.TemplateError
    """
    folder = Path(folder)
    log = store.Store(folder / "events").read(reduce=slim.Slim())
    facts = page.gather(model, log, now)
    code = language or language_of(model)
    spoken = Language(code)
    suffix = "" if code == language_of(model) else f".{code}"
    drawn = pictures.draw(folder, facts, spoken, suffix)
    text = page.render(facts, spoken, drawn)
    clusters.write(folder / f"REPORT{suffix}.md", text)
    images = {path: (folder / path).read_text(encoding="utf-8") for path, _ in drawn.values()}
    web = webpage.html_page(text, spoken, images)
    if web:
        clusters.write(folder / f"REPORT{suffix}.html", web)
    if not suffix:
        clusters.write(folder / "REPORT.json", json.dumps(machine(facts), separators=(",", ":")))
    return {
        "path": str(folder / f"REPORT{suffix}.md"),
        "events": facts["events"],
        "runs": len(facts["runs"]),
        "problems": len(facts["problems"]),
        "open": sum(problem["solved"] is None for problem in facts["problems"]),
        "drills": len(facts["drills"]),
        "failovers": len(facts["failovers"]),
        "pictures": len(drawn),
    }


def machine(facts):
    """The facts for programs: as in the page, without what only serves to draw it; phrases are said in English."""
    english = Language("en")
    told = {name: facts[name] for name in TOLD}
    told["cluster"] = facts["model"]["cluster"]
    told["runs"] = [
        {name: run[name] for name in ("number", "jid", "began", "time", "command", "dry", "states", "changed", "failed",
                                      "broken", "seconds")}
        | {"nodes": [node["node"] for node in run["nodes"]]}
        for run in facts["runs"][-2000:]
    ]  # fmt: skip
    for name in ("problems", "nodes"):
        told[name] = [
            {
                key: english.fact(value) if isinstance(value, tuple) else value
                for key, value in one.items()
                if key not in ("applied", "covers", "roles")
            }
            for one in facts[name]
        ]
    told["drills"] = [
        {key: value for key, value in drill.items() if key not in ("picture", "lag_picture", "lag")}
        for drill in facts["drills"][-2000:]
    ]
    for name in ("failovers", "problems", "suites", "backups", "proofs"):
        told[name] = told[name][-2000:]
    return told
