"""Facts and template to a page."""

from datetime import UTC, datetime

import jinja2

from saltroni.drill import catalogue
from saltroni.report import cluster, drills, events, markdown, overview, problems, runs, template

#: Runs that are shown step by step, the first and the latest ones; all are in the list.
FIRST_SHOWN, LAST_SHOWN = 10, 10
DRILLS_SHOWN = 20


def gather(model, log, now=None):
    """Everything that the page tells.

    Args:
        model: see :mod:`saltroni.clusters`.
        log: see :meth:`saltroni.report.store.Store.read`.
        now: the page's time, an aware datetime.
    """
    now = now or datetime.now(UTC)
    made = runs.all_runs(log.events)
    newest = runs.latest(made)
    finished = drills.all_drills(log.events)
    facts = {
        "model": model,
        "log": log,
        "now": events.stamp(now),
        "runs": made,
        "shown": _shown(made),
        "nodes": cluster.nodes(model, newest),
        "versions": cluster.versions(runs.packages(made)),
        "replication": cluster.replication(model),
        "release": cluster.release(model),
        "bounds": catalogue.bounds(model),
        "security": cluster.security(model, newest),
        "problems": problems.all_problems(log.events, made),
        "drills": finished,
        "drills_shown": finished[-DRILLS_SHOWN:],
        "faults": drills.by_fault(finished),
        "unfinished": drills.unfinished(log.events, now),
    }
    facts["warnings"] = overview.warnings(facts)
    facts["proofs"] = overview.proofs(facts)
    return facts


def _shown(made):
    telling = [run for run in made if run["changed"] or run["broken"]]
    if len(telling) <= FIRST_SHOWN + LAST_SHOWN:
        return telling
    return telling[:FIRST_SHOWN] + telling[-LAST_SHOWN:]


def render(facts):
    """The page as Markdown.

    Raises:
        jinja2.TemplateError: the template is wrong.
    """
    # the page is Markdown: what others wrote goes through the filters of saltroni.report.markdown
    environment = jinja2.Environment(  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(markdown.FILTERS)
    return environment.from_string(template.TEMPLATE.lstrip()).render(facts)
