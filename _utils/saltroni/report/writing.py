"""REPORT.md on disk, written whole."""

from pathlib import Path

from saltroni import clusters
from saltroni.report import page, store


def write(folder, model, now=None):
    """Write REPORT.md of one cluster.

    Args:
        folder: the cluster's folder on the master.
        model: the cluster's model.
        now: the page's time.

    Returns:
        ``{path, events, runs, problems, open, drills}``

    Raises:
        StoreError, OSError, jinja2.TemplateError
    """
    folder = Path(folder)
    log = store.Store(folder / "events").read()
    facts = page.gather(model, log, now)
    path = folder / "REPORT.md"
    clusters.write(path, page.render(facts))
    return {
        "path": str(path),
        "events": len(log.events),
        "runs": len(facts["runs"]),
        "problems": len(facts["problems"]),
        "open": sum(problem["solved"] is None for problem in facts["problems"]),
        "drills": len(facts["drills"]),
    }
