"""The store: nothing is lost, nothing is there twice, and nothing that a crash leaves behind is fatal."""

import json
import multiprocessing
import os
import stat
import threading
import time
from datetime import UTC, datetime

import pytest

from saltroni import clusters
from saltroni.pillar import model
from saltroni.report import events, store


def event(identity, second=0):
    return events.event(identity, "demo", "pg1", "a/b", {}, datetime(2026, 11, 24, 18, 0, second, tzinfo=UTC))


def current(folder):
    return next(folder.glob("*.jsonl"))


def test_events_are_kept_once_and_read_in_the_order_of_their_times(tmp_path):
    kept = store.Store(tmp_path / "events")
    assert len(kept.append([event("b", 5), event("a", 9)])) == 2
    assert kept.append([event("b", 5)]) == []
    assert [found["id"] for found in kept.append([event("c", 1), event("a", 9), event("c", 1)])] == ["c"]
    assert store.Store(tmp_path / "events").append([event("a", 9)]) == []
    assert [found["id"] for found in kept.read().events] == ["c", "b", "a"]


def test_only_root_reads_it(tmp_path):
    folder = tmp_path / "events"
    store.Store(folder).append([event("a")])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_new_month_has_a_new_file_and_ids_hold_across_months(tmp_path):
    kept = store.Store(tmp_path)
    kept.append([event("a")], now=datetime(2026, 11, 30, tzinfo=UTC))
    kept.append([event("b")], now=datetime(2026, 12, 1, tzinfo=UTC))
    assert store.Store(tmp_path).append([event("a")], now=datetime(2026, 12, 1, tzinfo=UTC)) == []
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["2026-11.jsonl", "2026-12.jsonl"]
    assert len(kept.read().events) == 2


@pytest.mark.parametrize("torn", [b'{"id":"half","time":', b"x" * 200_000, b"\xff\xfe"])
def test_a_torn_last_line_is_set_aside_and_told(tmp_path, torn):
    kept = store.Store(tmp_path)
    kept.append([event("a")])
    with current(tmp_path).open("ab") as file:
        file.write(torn)
    log = kept.read()
    assert ([found["id"] for found in log.events], log.torn) == (["a"], 1)
    kept.append([event("b")])
    log = kept.read()
    assert ([found["id"] for found in log.events], log.torn, log.unreadable) == (["a", "b"], 1, [])


def test_a_torn_line_of_last_month_is_set_aside_too(tmp_path):
    kept = store.Store(tmp_path)
    kept.append([event("a")], now=datetime(2026, 11, 30, tzinfo=UTC))
    with current(tmp_path).open("ab") as file:
        file.write(b"half")
    kept.append([event("b")], now=datetime(2026, 12, 1, tzinfo=UTC))
    assert (tmp_path / "2026-11.jsonl").read_bytes().endswith(b"\n")
    assert len(kept.read().events) == 2


@pytest.mark.parametrize("bad", [b"nonsense", b"[]", b'{"id":1}', b'{"id":"x"}', b"\xff", b""])
def test_an_unreadable_line_is_skipped_and_told(tmp_path, bad):
    kept = store.Store(tmp_path)
    kept.append([event("a")])
    with current(tmp_path).open("ab") as file:
        file.write(bad + b"\n")
    assert len(store.Store(tmp_path).append([event("b")])) == 1
    log = kept.read()
    assert [found["id"] for found in log.events] == ["a", "b"]
    assert log.unreadable == [(current(tmp_path).name, 2)]


def test_whoever_reads_keeps_nobody_from_recording(tmp_path):
    kept = store.Store(tmp_path)
    kept.append([event("a"), event("b")])

    def reduce(one):
        other = store.Store(tmp_path)
        recorder = threading.Thread(target=other.append, args=([event(f"while-{one['id']}")],), daemon=True)
        recorder.start()
        recorder.join(10)
        assert not recorder.is_alive(), "recording waits for the reader"
        return one

    assert [one["id"] for one in kept.read(reduce).events] == ["a", "b"]
    assert len(kept.read().events) == 4


def test_an_empty_store_reads_as_nothing(tmp_path):
    assert store.Store(tmp_path / "none").read().events == []
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(store.StoreError, match="Make room or give root the right"):
        store.Store(tmp_path / "file" / "events").append([event("a")])


def _append(folder, name, shared):
    kept = store.Store(folder)
    for number in range(50):
        kept.append([event(f"{name}/{number}"), event(f"shared/{number}")] if shared else [event(f"{name}/{number}")])


def test_eight_processes_append_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append, args=(tmp_path, name, True)) for name in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 8
    lines = current(tmp_path).read_bytes().splitlines()
    log = store.Store(tmp_path).read()
    assert len(lines) == len(log.events) == 8 * 50 + 50
    assert not log.unreadable
    assert not log.torn


def test_threads_share_one_store(tmp_path):
    kept = store.opened(str(tmp_path))
    assert kept is store.opened(str(tmp_path))
    threads = [
        threading.Thread(target=lambda n=n: [kept.append([event(f"{n}/{i}"), event(f"s/{i}")]) for i in range(20)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(current(tmp_path).read_bytes().splitlines()) == 8 * 20 + 20


def _write_until_killed(folder, attempt, promise):
    kept = store.Store(folder)
    for number in range(100_000):
        batch = [
            events.event(f"{attempt}/{number}/{one}", "demo", "pg1", "a/b", {"x": "y" * 300}, datetime.now(UTC))
            for one in range(1 + number % 5)
        ]
        kept.append(batch)
        os.write(promise, b"".join(f"{event['id']}\n".encode() for event in batch))


def test_whoever_is_killed_at_any_point_has_lost_nothing_that_was_durable(tmp_path):
    promised = set()
    for attempt in range(50):
        ear, mouth = os.pipe()
        writer = multiprocessing.get_context("fork").Process(
            target=_write_until_killed, args=(tmp_path, attempt, mouth)
        )
        writer.start()
        os.close(mouth)
        heard = os.read(ear, 100)
        time.sleep(0.0007 * attempt)
        writer.kill()
        writer.join(20)
        with os.fdopen(ear, "rb") as rest:
            heard += rest.read()
        # the last line may be cut off: a pipe takes whole writes of this size, so it isn't
        promised |= set(heard.decode().split("\n")[:-1])
    log = store.Store(tmp_path).read()
    found = [event["id"] for event in log.events]
    assert len(promised) > 100
    assert promised <= set(found)
    assert len(found) == len(set(found))
    assert not log.unreadable
    # what was there is still known as there
    again = [event for event in log.events if event["id"] in promised][:50]
    assert store.Store(tmp_path).append(again) == []


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 1000, None])
def test_the_index_is_made_anew_when_it_is_lost_or_damaged(tmp_path, damage):
    kept = store.Store(tmp_path)
    kept.append([event("a"), event("b")])
    path = tmp_path / "ids.sqlite"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert [one["id"] for one in kept.append([event("b"), event("c")])] == ["c"]
    assert len(kept.read().events) == 3


def test_what_another_wrote_without_the_index_is_known_all_the_same(tmp_path):
    kept = store.Store(tmp_path)
    kept.append([event("a")])
    line = json.dumps(event("b")) + "\n"
    with current(tmp_path).open("a") as file:
        file.write(line)
    assert kept.append([event("b")]) == []


def test_the_cluster_is_kept_without_secrets_and_only_when_it_changed(tmp_path, settings):
    built = model.build(settings)
    built["secrets"] = {"superuser": "MHc"}
    assert clusters.keep(tmp_path, built) is True
    assert clusters.keep(tmp_path, built) is False
    path = tmp_path / "demo" / "cluster.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "MHc" not in path.read_text()
    assert clusters.of_node("pg1", tmp_path) == "demo"
    assert clusters.of_node("stranger", tmp_path) is None
    assert os.listdir(path.parent) == ["cluster.json"]  # noqa: PTH208


def test_a_damaged_cluster_file_is_named(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "cluster.json").write_text("{")
    with pytest.raises(ValueError, match=r"demo/cluster.json is damaged"):
        clusters.known(tmp_path)


def test_an_event_with_half_a_surrogate_pair_is_read(tmp_path):
    kept = store.Store(tmp_path)
    kept.append([{**event("half"), "data": {"text": "\ud800"}}])
    log = kept.read()
    assert [found["data"] for found in log.events] == [{"text": "\ud800"}]
    assert not log.unreadable
