"""Unit tests import the logic as the loader does: ``_utils`` is on the path."""

import copy
import getpass
import struct
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


@pytest.fixture
def cluster(settings):
    """The pillar's cluster, with all that follows from it."""
    from saltroni.pillar import model

    return model.build(settings)


@pytest.fixture
def told(tmp_path):
    """A member's settings of its archive, and its data directory."""
    from saltroni.backup.settings import Settings

    from .archive import SYSTEM

    data = tmp_path / "data"
    for folder in ("global", "pg_wal/archive_status"):
        (data / folder).mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    (data / "global" / "pg_control").write_bytes(struct.pack("<Q", SYSTEM) + bytes(100))
    (tmp_path / "state").mkdir()
    return Settings(
        cluster="demo", member="pg1", tool="walg", major=17, data_dir=str(data), prefix="s3://b/demo/17",
        state_folder=str(tmp_path / "state"), segment_bytes=2**20, user=getpass.getuser(), archived_timeout_s=9,
    )  # fmt: skip


@pytest.fixture
def tool():
    """A tool whose storage is a dict."""
    from .archive import Memory

    return Memory()


@pytest.fixture
def begun(cluster):
    """Has a world begin a restore."""
    from saltroni.restore import course

    from .restores import ID, make

    def new(world, **chosen):
        made = make(cluster, **chosen)
        world.keep(course.new(ID, "demo", {}, made, "then"))
        return world

    return new
