"""The mark that a restore leaves in the data that it made."""

from saltroni.backup import inplace


def test_an_earlier_restores_mark_is_not_this_ones(tmp_path):
    """Seen: restore.back took it for its own promotion, and began a timeline that the archive had."""
    inplace.mark(tmp_path, "earlier", inplace.ARCHIVED, promoting=22)
    assert inplace.mark_of(tmp_path, "earlier")["promoting"] == 22
    assert inplace.mark_of(tmp_path, "back-later") == {}
    assert not inplace.has(tmp_path, "back-later", inplace.FETCHED)
    assert "promoting" not in inplace.mark(tmp_path, "back-later", inplace.FETCHED)
