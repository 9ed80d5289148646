"""Unit tests import the logic as the loader does: ``_utils`` is on the path."""

import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "_utils"))


@pytest.fixture
def settings():
    """The pillar as it is in the repository."""
    return yaml.safe_load((ROOT / "pillar" / "cluster.sls").read_text(encoding="utf-8"))["saltroni"]
