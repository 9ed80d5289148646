"""Facts and template to a page, in one language."""

from datetime import UTC, datetime

import jinja2

from saltroni.drill import catalogue
from saltroni.report import (
    availability,
    backups,
    cluster,
    conditions,
    drills,
    events,
    failovers,
    markdown,
    overview,
    problems,
    runs,
    suites,
    template,
)  # fmt: skip

#: Runs that are shown step by step, the first and the latest ones.
FIRST_SHOWN, LAST_SHOWN = 10, 10
#: How many of each are in the lists, the latest ones; of runs the first ones, too.
RUNS_LISTED, PROBLEMS_LISTED, FAILOVERS_LISTED, BACKUPS_LISTED = 200, 100, 100, 30


def gather(model, log, now=None):
    """Everything that the page tells, in no language.

    Args:
        model: see :mod:`saltroni.clusters`.
        log: see :meth:`saltroni.report.store.Store.read`; its events may be slim (:mod:`saltroni.report.slim`).
        now: the page's time, an aware datetime.
    """
    now = now or datetime.now(UTC)
    recorded = log.events
    made = runs.all_runs(recorded)
    newest = runs.latest(made)
    finished = drills.all_drills(recorded)
    bounds = catalogue.bounds(model)
    changes = failovers.all_failovers(recorded, finished, bounds)
    found = problems.all_problems(recorded, made)
    series = suites.all_suites(recorded)
    copies, proven = (
        backups.of_kind(recorded, backups.BACKUP),
        backups.of_kind(recorded, backups.PROOF, backups.REFUSED),
    )
    first = recorded[0]["time"] if recorded else None
    last = recorded[-1]["time"] if recorded else None
    return {
        "model": model,
        "log": log,
        "now": events.stamp(now),
        "events": len(recorded),
        "first": first,
        "last": last,
        "runs": made,
        "runs_listed": made if len(made) <= RUNS_LISTED else made[:FIRST_SHOWN] + made[FIRST_SHOWN - RUNS_LISTED :],
        "shown": _shown(made),
        "nodes": cluster.nodes(model, newest),
        "versions": cluster.versions(runs.packages(made)),
        "replication": cluster.replication(model),
        "release": cluster.release(model),
        "bounds": bounds,
        "security": cluster.security(model, newest),
        "problems": found,
        "problems_listed": _listed(found),
        "drills": finished,
        "drills_shown": finished[-drills.SHOWN :],
        "faults": drills.by_fault(finished),
        "faults_by_settings": drills.by_settings(finished),
        "suites": series,
        "suites_listed": series[-suites.LISTED :],
        "unfinished": drills.unfinished(recorded, now),
        "failovers": changes,
        "failovers_listed": changes[-FAILOVERS_LISTED:],
        "leaders": failovers.leaders(recorded, changes, last),
        "availability": availability.windows(availability.outages(changes, finished), _watched_since(recorded), now),
        "backups": copies,
        "backups_listed": copies[-BACKUPS_LISTED:],
        "latest_backups": backups.latest_by_node(copies),
        "proofs": proven,
        "proofs_listed": proven[-BACKUPS_LISTED:],
        "latest_proofs": backups.latest_by_node(proven),
        "restores_listed": backups.restores(recorded)[-BACKUPS_LISTED:],
        "recovery_point": next((proof["time"] for proof in reversed(proven) if proof["passed"]), None),
        "conditions": conditions.seen(recorded, now),
    }


def _shown(made):
    telling = [run for run in made if run["changed"] or run["broken"]]
    if len(telling) <= FIRST_SHOWN + LAST_SHOWN:
        return telling
    return telling[:FIRST_SHOWN] + telling[-LAST_SHOWN:]


def _listed(found):
    """Open problems, and of the solved ones the latest."""
    opened = [problem for problem in found if problem["solved"] is None]
    solved = [problem for problem in found if problem["solved"] is not None]
    return opened[:PROBLEMS_LISTED] + solved[-PROBLEMS_LISTED:]


def _watched_since(recorded):
    """Since when there was a leader whose loss would have been told; None for never."""
    kinds = (failovers.TOLD, failovers.STARTED, failovers.HISTORY, failovers.DRILL)
    return next((event["time"] for event in recorded if event["kind"] in kinds), None)


def render(facts, language, pictures=None):
    """The page as Markdown.

    Args:
        facts: see :func:`gather`.
        language: see :class:`saltroni.report.language.Language`.
        pictures: ``{name: (file, text that says the same)}``, see :mod:`saltroni.report.pictures`.

    Raises:
        jinja2.TemplateError: the template is wrong.
        KeyError: a phrase is missing.
    """
    pictures = pictures or {}

    def picture(name):
        if name not in pictures:
            return ""
        path, words = pictures[name]
        return f"![{markdown.plain(words)}]({path})\n"

    # the page is Markdown: what others wrote goes through the filters of saltroni.report.markdown
    environment = jinja2.Environment(  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(markdown.FILTERS)
    environment.filters.update(language.filters())
    environment.filters["percent"] = lambda share: overview.percent(share, language)
    environment.globals.update(say=language.say, picture=picture, pictures=pictures)
    told = {
        **facts,
        "warnings": overview.warnings(facts, language),
        "shown_so_far": overview.proofs(facts, language),
    }
    return environment.from_string(template.TEMPLATE.lstrip()).render(told)
