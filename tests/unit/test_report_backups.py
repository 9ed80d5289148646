"""Restores and proofs in the report."""

from datetime import UTC, datetime, timedelta

from saltroni.report import events

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def told(minute, kind, data):
    moment = BEGIN + timedelta(minutes=minute)
    return events.delivered(
        {"id": f"{kind}-{minute}", "kind": kind, "time": moment.isoformat(), "data": data}, "lb1", "demo", moment
    )


def test_restores_of_the_whole_cluster_are_told(written):
    restored = {
        "target": "time 2026-11-24 17:59:00+00:00, exclusive", "backup": "base_1", "leader": "pg2", "timeline": 4,
        "last_commit": "2026-11-24 17:58:59+00", "took_s": 63.2, "steps": {"fetch": 12.0, "promote": 3.5},
    }  # fmt: skip
    recorded = [told(1, "restore/finished", restored), told(2, "restore/undone", {"leader": "pg2"})]
    text = written(*recorded)
    assert (
        "time 2026-11-24 17:59:00+00:00, exclusive | base\\_1 | pg2 | 2026-11-24 17:58:59+00 | 4 | 63.2 s | finished |"
        in text
    )
    assert "undone: the data from before it are back" in text
    assert "steps: " not in text  # the latest one told none
    assert "The latest one's steps: fetch 12.0 s, promote 3.50 s." in written(recorded[0])
    assert "time 2026-11-24 17:59:00+00:00, не включая" in written(*recorded, language="ru")


def test_a_refused_proof_is_told_and_is_no_failed_one(written):
    passed = {"verdict": "passed", "backup": "base_1", "recovery_s": 4.0}
    recorded = [told(1, "proof/finished", passed), told(2, "proof/refused", {"reasons": ["the cluster isn't whole"]})]
    text = written(*recorded)
    assert "refused: the cluster isn't whole" in text
    assert "restore proof on lb1 failed" not in text
    assert "restore proof on lb1 failed" in written(told(3, "proof/finished", {"verdict": "failed"}))
