"""docs/settings.md is what the schema says."""

from saltroni.pillar import describe

from .conftest import ROOT


def test_page_is_up_to_date():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == describe.page(), "run: make docs"
