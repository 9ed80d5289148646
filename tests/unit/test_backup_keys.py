"""Keys of backups: made once, told to few, brought and taken by files, changed without losing what the old ones read."""

import json
import stat

import pytest

from saltroni.pillar import kit, model, pgp, secrets

AWS = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = se/cr+et%1\n[half]\naws_access_key_id = x\n"


@pytest.fixture
def foreign(settings):
    """A cluster whose backups go to somebody else's storage."""
    settings["backup"] = {
        "enabled": True,
        "walg": {"source": "/usr/local/bin/wal-g"},
        "storage": {"endpoint": "https://s3.example.org"},
    }
    return model.build(settings)


@pytest.fixture
def own(settings):
    """A cluster that has its own storage."""
    settings["nodes"]["s3"] = {"address": "192.168.56.41", "roles": ["s3"]}
    settings["backup"] = {"enabled": True, "tool": "pgbackrest"}
    return model.build(settings)


def test_keys_of_the_own_storage_are_made_and_those_of_a_foreign_one_never(foreign, own, tmp_path):
    assert secrets.for_backups(foreign) == []
    assert secrets.for_backups(own) == ["s3_access_key", "s3_secret_key", "backup_cipher"]
    kept = secrets.load(tmp_path, [], secrets.for_backups(own))
    assert len(kept["s3_secret_key"]) == secrets.LENGTH
    assert "s3_secret_key" not in secrets.for_node(secrets.load(tmp_path / "other", []), ["patroni"], False, True)


def test_what_encrypts_is_kept_when_backups_are_switched_off(own, tmp_path):
    kept = secrets.load(tmp_path, [], secrets.for_backups(own))
    secrets.load(tmp_path, [])
    assert secrets.load(tmp_path, [], secrets.for_backups(own))["backup_cipher"] == kept["backup_cipher"]


def test_who_is_told_what(own, tmp_path):
    kept = {**secrets.load(tmp_path, [], secrets.for_backups(own)), "pgp": "key"}
    assert set(secrets.for_node(kept, ["s3"], False)) == {"s3_access_key", "s3_secret_key"}
    assert set(secrets.BACKUP) <= set(secrets.for_node(kept, ["patroni"], False, backups=True))
    assert not set(secrets.BACKUP) & set(secrets.for_node(kept, ["patroni"], False, backups=False))
    for role in ("etcd", "haproxy", "master"):
        told = set(secrets.for_node(kept, [role], False, backups=True))
        assert not told & (set(secrets.BACKUP) - {"etcd_drill"})


def test_keys_come_from_a_file(foreign, tmp_path):
    path = tmp_path / "credentials"
    path.write_text(AWS, encoding="ascii")
    assert kit.take_keys(tmp_path, foreign, path, "default") == ["s3_access_key", "s3_secret_key"]
    known = secrets.load(tmp_path / "demo", [])
    assert (known["s3_access_key"], known["s3_secret_key"]) == ("AKIA1", "se/cr+et%1")


@pytest.mark.parametrize(
    ("text", "profile", "words"),
    [
        (AWS, "half", "has no 'aws_secret_access_key'"),
        (AWS, "none", "has no 'none'"),
        ("aws_secret_access_key = se/cr+et", "default", "MissingSectionHeaderError"),
        ("[default]\naws_access_key_id=\naws_secret_access_key=x", "default", "empty"),
    ],
)
def test_a_file_that_lacks_a_key_is_refused_and_never_quoted(foreign, tmp_path, text, profile, words):
    path = tmp_path / "credentials"
    path.write_text(text, encoding="ascii")
    with pytest.raises(ValueError, match=words) as caught:
        kit.take_keys(tmp_path, foreign, path, profile)
    assert "se/cr" not in str(caught.value)


def test_keys_of_the_own_storage_are_not_taken_from_anywhere(own, tmp_path):
    with pytest.raises(ValueError, match="s3 is the storage of demo"):
        kit.take_keys(tmp_path, own, tmp_path / "credentials", "default")


def test_a_new_master_takes_what_the_old_one_gave(own, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    known = secrets.load(old / "demo", ["app"], secrets.for_backups(own))
    (old / "demo" / pgp.FILE).write_text(f"{pgp.BEGIN}\n\nabc\n{pgp.END}\n", encoding="ascii")
    names = kit.write(old, own, tmp_path / "kit.json")
    assert names == ["backup_cipher", "pgp", "s3_access_key", "s3_secret_key"]
    assert stat.S_IMODE((tmp_path / "kit.json").stat().st_mode) == 0o600
    assert kit.take(new, None, tmp_path / "kit.json") == names
    taken = secrets.load(new / "demo", ["app"], secrets.for_backups(own))
    assert {name: taken[name] for name in kit.KEYS} == {name: known[name] for name in kit.KEYS}
    assert taken["superuser"] != known["superuser"]
    assert (new / "demo" / pgp.FILE).read_text() == (old / "demo" / pgp.FILE).read_text()
    # a second time it is the same
    assert kit.take(new, "demo", tmp_path / "kit.json") == names


def test_other_keys_give_way_only_if_somebody_says_so(own, tmp_path):
    for master in ("old", "new"):
        secrets.load(tmp_path / master / "demo", [], secrets.for_backups(own))
    kit.write(tmp_path / "old", own, tmp_path / "kit.json")
    with pytest.raises(ValueError, match="another backup_cipher, s3_access_key, s3_secret_key for demo: replace=True"):
        kit.take(tmp_path / "new", None, tmp_path / "kit.json")
    kit.take(tmp_path / "new", None, tmp_path / "kit.json", replace=True)
    assert secrets.load(tmp_path / "new" / "demo", []) != secrets.load(tmp_path / "old" / "demo", [])


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"cluster": "demo"}', '{"cluster": "demo", "secrets": {"superuser": "x"}}']
)
def test_a_damaged_file_changes_nothing(tmp_path, content):
    (tmp_path / "kit.json").write_text(content, encoding="ascii")
    with pytest.raises(ValueError, match=r"isn't what secret\.backup_export wrote"):
        kit.take(tmp_path, None, tmp_path / "kit.json")
    assert not (tmp_path / "demo").exists()
    with pytest.raises(ValueError, match="is of cluster"):
        (tmp_path / "kit.json").write_text(json.dumps({"cluster": "shop", "secrets": {}}), encoding="ascii")
        kit.take(tmp_path, "demo", tmp_path / "kit.json")


def test_pgp_is_for_walg_only(settings, own):
    assert not pgp.wanted(own)
    settings["backup"] = {"enabled": True, "walg": {"source": "/usr/local/bin/wal-g"}}
    assert pgp.wanted(model.build(settings))
    settings["backup"]["encryption"] = False
    assert not pgp.wanted(model.build(settings))


def test_pgp_key_is_made_once_and_changed_in_two_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(pgp, "BITS", 1024)
    monkeypatch.setattr(pgp, "made", lambda cluster, made=pgp.made: made(cluster, 1024))
    first = pgp.key(tmp_path, "demo")
    assert pgp.key(tmp_path, "demo") == first
    assert stat.S_IMODE((tmp_path / pgp.FILE).stat().st_mode) == 0o600
    with pytest.raises(pgp.PgpError, match="no change of keys was begun"):
        pgp.rotate(tmp_path, "demo", finish=True)
    assert pgp.rotate(tmp_path, "demo", bits=1024) == 2
    both = pgp.key(tmp_path, "demo")
    # WAL-G reads the first armour only
    assert both.count(pgp.BEGIN) == 1
    assert len(both) > 1.5 * len(first)
    with pytest.raises(pgp.PgpError, match="was begun, finish=True ends it"):
        pgp.rotate(tmp_path, "demo", bits=1024)
    assert pgp.rotate(tmp_path, "demo", finish=True) == 1
    assert pgp.key(tmp_path, "demo") not in (first, both)


@pytest.mark.parametrize("text", ["", "half a key", f"{pgp.BEGIN}\nx\n{pgp.END}\n{pgp.BEGIN}\ny\n{pgp.END}\n"])
def test_pgp_key_that_is_none_is_never_replaced(tmp_path, text):
    (tmp_path / pgp.FILE).write_text(text, encoding="ascii")
    with pytest.raises(pgp.PgpError, match="restore it from a backup of the master"):
        pgp.key(tmp_path, "demo")
    assert (tmp_path / pgp.FILE).read_text() == text
