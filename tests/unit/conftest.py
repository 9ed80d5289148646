"""Unit tests import the logic as the loader does: ``_utils`` is on the path."""

import copy
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))


@pytest.fixture
def settings():
    """The pillar as it is in the repository."""
    return yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]


@pytest.fixture
def written(settings):
    """Makes the report's page of events, as of one hour after the tests' clock begins."""
    from saltroni.pillar import model
    from saltroni.report import page, store
    from saltroni.report.language import Language

    built, now = model.build(settings), datetime(2026, 11, 24, 19, 0, tzinfo=UTC)

    def make(*recorded, language="en", **more):
        log = store.Log(events=copy.deepcopy(list(recorded)), **more)
        return page.render(page.gather(built, log, now), Language(language))

    return make
