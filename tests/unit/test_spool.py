"""A node's spool: nothing is lost, nothing is held up, and nobody's files are believed."""

import fcntl
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from saltroni.report import events
from saltroni.spool import files, looking, parcel, sender

TELL_ROLE = Path(__file__).resolve().parents[2] / "salt" / "patroni" / "files" / "tell-role"


def master(recorded, refuse=()):
    """A master that records what it is sent, once."""

    def deliver(text):
        told = {"recorded": [], "refused": {}}
        for event in parcel.unpack(text):
            if event["kind"] in refuse:
                told["refused"][event["id"]] = "no"
            else:
                recorded[event["id"]] = event
                told["recorded"].append(event["id"])
        return told

    return deliver


def test_an_event_waits_until_it_is_acknowledged(tmp_path):
    files.put("drill/finished", {"x": 1}, "one", folder=tmp_path)
    with pytest.raises(sender.NotDelivered):
        sender.send(lambda _: {}, tmp_path)
    assert files.waiting(tmp_path) == ["one.json"]
    recorded = {}
    assert sender.send(master(recorded), tmp_path) == {"sent": 1, "refused": {}, "waiting": 0}
    assert recorded["one"]["data"] == {"x": 1}
    assert files.waiting(tmp_path) == []


@pytest.mark.parametrize("answer", [{}, None, "ERROR", {"recorded": "x"}, {"recorded": []}, {"recorded": ["other"]}])
def test_whatever_is_no_acknowledgement_removes_nothing(tmp_path, answer):
    files.put("a/b", {}, "one", folder=tmp_path)
    with pytest.raises(sender.NotDelivered):
        sender.send(lambda _: answer, tmp_path)
    assert files.waiting(tmp_path) == ["one.json"]


def test_many_events_go_in_batches(tmp_path):
    for number in range(1100):
        files.put("a/b", {}, f"n{number}", folder=tmp_path)
    recorded, sizes = {}, []
    deliver = master(recorded)
    sender.send(lambda text: sizes.append(len(parcel.unpack(text))) or deliver(text), tmp_path)
    assert (len(recorded), sizes) == (1100, [500, 500, 100])


def test_a_refused_event_is_set_aside_and_holds_up_nothing(tmp_path):
    files.put("problem/noted", {}, "bad", folder=tmp_path)
    files.put("a/b", {}, "good", folder=tmp_path)
    recorded = {}
    done = sender.send(master(recorded, refuse=["problem/noted"]), tmp_path)
    assert (done["sent"], done["refused"], list(recorded)) == (1, {"bad": "no"}, ["good"])
    assert [path.name for path in (tmp_path / "refused").iterdir()] == ["bad.json"]


def _made_by_another(tmp_path, what):
    """What user postgres, who may write into the spool, could put there; made by whoever isn't us."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for number in range(60):
        (elsewhere / f"{number}.conf").write_text("precious")
    spool = tmp_path / "spool"
    spool.mkdir()
    aside = spool / "refused"
    if what == "link":
        aside.symlink_to(elsewhere)
    elif what == "file":
        aside.write_text("")
    else:
        aside.mkdir()
        os.chown(aside, 65534, 65534)
    return spool, elsewhere


@pytest.mark.parametrize(
    "what",
    ["link", "file", pytest.param("folder", marks=pytest.mark.skipif(os.geteuid() != 0, reason="root gives it away"))],
)
def test_where_refused_events_go_is_never_where_another_user_says(tmp_path, what):
    spool, elsewhere = _made_by_another(tmp_path, what)
    files.put("problem/noted", {}, "bad", folder=spool)
    done = sender.send(master({}, refuse=["problem/noted"]), spool)
    assert done["refused"] == {"bad": "no"}
    assert files.waiting(spool) == []
    assert len(list(elsewhere.iterdir())) == 60
    assert what != "folder" or not list((spool / "refused").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="root gives files away")
def test_another_users_lock_keeps_nobody_from_sending(tmp_path):
    files.put("a/b", {}, folder=tmp_path)
    with (tmp_path / ".lock").open("w") as lock:
        os.chown(tmp_path / ".lock", 65534, 65534)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert sender.send(master({}), tmp_path)["sent"] == 1


def test_only_one_sends_at_a_time(tmp_path):
    files.put("a/b", {}, folder=tmp_path)
    with files.only_sender(tmp_path) as mine:
        assert mine
        assert sender.send(master({}), tmp_path) is None
    assert sender.send(master({}), tmp_path)["sent"] == 1


def _strange(folder):
    (folder / "link.json").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo.json")
    (folder / "huge.json").write_bytes(b"x" * (files.LARGEST + 10))
    (folder / "half.json").write_text('{"id": "half"')
    (folder / "list.json").write_text("[]")
    (folder / "kind.json").write_text(json.dumps({"id": "k", "kind": "../x", "data": {}}))
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "folder.json").mkdir()
    (folder / "folder.json" / "full").write_text("x")
    (folder / "we|ird\n<b>.json").write_text("x")


def test_strange_files_are_told_and_removed_and_never_waited_for(tmp_path):
    _strange(tmp_path)
    files.put("a/b", {}, "good", folder=tmp_path)
    recorded = {}
    worker = threading.Thread(target=sender.send, args=(master(recorded), tmp_path), daemon=True)
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    assert {event["kind"] for event in recorded.values()} == {"a/b", "spool/unreadable"}
    assert len(recorded) == 9
    assert files.waiting(tmp_path) == []
    assert "root:" not in json.dumps(recorded)
    for event in recorded.values():
        events.delivered(event, "pg1", "demo", events.moment("2026-11-24T18:00:00"))


@pytest.mark.parametrize("bad", ["", "x", parcel.MARK, parcel.MARK + "!!", parcel.MARK + "eJw", None, 5])
def test_what_is_no_parcel_is_refused(bad):
    with pytest.raises(parcel.ParcelError):
        parcel.unpack(bad)


def test_a_parcel_survives_and_a_bomb_does_not():
    value = [{"id": "x", "data": {"text": "ä\u202e\x00 a=b: [yes]"}}]
    text = parcel.pack(value)
    assert parcel.unpack(text) == value
    assert not set(text) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    with pytest.raises(parcel.ParcelError, match="more than"):
        parcel.unpack(parcel.pack("x" * (parcel.LARGEST + 1000)))


@pytest.mark.parametrize(("kind", "identity", "data"), [("a", "x", {}), ("a/b", "../x", {}), ("a/b", "x", [])])
def test_what_is_no_event_is_not_kept(tmp_path, kind, identity, data):
    with pytest.raises(ValueError, match="an event has a kind"):
        files.put(kind, data, identity, folder=tmp_path)
    assert files.waiting(tmp_path) == []


@pytest.mark.parametrize(
    ("action", "role", "kind"),
    [
        ("on_role_change", "primary", "role/changed"),
        ("on_start", "replica", "postgresql/started"),
        ("on_stop", "demoted", "postgresql/stopped"),
    ],
)
def test_patronis_callback_is_quick_and_its_event_is_read(tmp_path, action, role, kind):
    environment = {"SALTRONI_SPOOL": str(tmp_path), "PATH": os.environ["PATH"]}
    assert subprocess.run([TELL_ROLE, action, role, "demo"], env=environment, timeout=5).returncode == 0
    for _ in range(100):
        if files.waiting(tmp_path):
            break
        threading.Event().wait(0.05)
    (event,) = files.batch(tmp_path).events
    assert (event["kind"], event["data"]) == (kind, {"role": role})
    assert events.moment(event["time"])


@pytest.mark.parametrize("arguments", [[], ["on_reload", "x", "y"], ["on_start", 'a"b', "demo"]])
def test_patronis_callback_never_fails(tmp_path, arguments):
    environment = {"SALTRONI_SPOOL": str(tmp_path / "none"), "PATH": os.environ["PATH"]}
    assert subprocess.run([TELL_ROLE, *arguments], env=environment, timeout=5).returncode == 0


def test_a_look_tells_what_has_changed_and_only_that(tmp_path, monkeypatch):
    seen = {"certificates": {"etcd": "2027-02-20T00:00:00+00:00"}}
    lines = [{"timeline": 1, "lsn": 5, "reason": "x", "time": "2026-11-24T18:00:00+00:00", "new_leader": "pg2"}]
    monkeypatch.setattr(looking, "snapshot", lambda _: dict(seen))
    monkeypatch.setattr(looking, "_lines", lambda _: list(lines))
    state = tmp_path / "state" / "seen.json"
    assert looking.look({}, tmp_path, state) == ["node/seen", "timeline/ended"]
    assert looking.look({}, tmp_path, state) == []
    seen["pending_restart"] = True
    lines.append({**lines[0], "timeline": 2, "new_leader": "pg1"})
    assert looking.look({}, tmp_path, state) == ["node/seen", "timeline/ended"]
    state.write_text("[broken")
    assert looking.look({}, tmp_path, state) == ["node/seen", "timeline/ended", "timeline/ended"]
    # told again, they are the same events
    assert len([name for name in files.waiting(tmp_path) if name.startswith("timeline-")]) == 2
