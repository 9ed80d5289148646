"""Two members are promoted to the same timeline number, one after the other: the first, when it is back, is listed as
streaming and receives nothing. It must be found, held out of elections, and let go when its data are new."""

import pytest

from .conftest import SETTINGS, until, whole

HELD = "has another history than the leader and is held out of elections"


def postgres(lab, node, *command, **options):
    return lab.run(node, "runuser", "-u", "postgres", "--", *command, **options).stdout.strip()


def health(lab):
    return lab.call("lb1", "patroni.health", check=False)[0]


def promote_beside(lab, node):
    """Promote a member of which nobody hears, as one that died right after its promotion; its new timeline.

    Its lease guard stands aside meanwhile: it stops a database that takes writes while another member holds the key.
    """
    data, port = lab.model["folders"]["data"], lab.model["postgresql"]["port"]
    program = f"/usr/lib/postgresql/{lab.model['postgresql']['version']}/bin"
    lab.run(node, "systemctl", "stop", "patroni", "saltroni-guard")
    control = (f"{program}/pg_ctl", "--pgdata", data, "--wait")
    postgres(lab, node, *control, f"--options=-c listen_addresses='' -c port={port} -c synchronous_standby_names=''",
             "--log=/dev/null", "start")  # fmt: skip
    postgres(lab, node, *control, "promote")
    postgres(
        lab, node, "psql", "-XAtc", "SELECT pg_logical_emit_message(true, 'lab', 'of another history'); CHECKPOINT"
    )
    postgres(lab, node, *control, "--mode=fast", "stop")
    said = postgres(lab, node, f"{program}/pg_controldata", data)
    return int(next(line.split(":")[1] for line in said.splitlines() if "Latest checkpoint's TimeLineID" in line))


@pytest.fixture
def forked(lab):
    """A member with another history of the leader's timeline."""
    whole(lab, 60)
    leader, _ = lab.call("lb1", "patroni.leader")
    node, candidate = [name for name in lab.model["by_role"]["patroni"] if name != leader]
    try:
        timeline = promote_beside(lab, node)
        made, _ = lab.call(candidate, "patroni.switchover", candidate)
        # one that is ahead of the leader would be rewound
        postgres(lab, candidate, "psql", "-XAtc", "SELECT pg_logical_emit_message(true, 'lab', repeat('x', 4000000))")
        assert made["timeline"] == timeline
    finally:
        lab.run(node, "systemctl", "start", "patroni", "saltroni-guard")
    return node


@pytest.mark.skipif(
    SETTINGS.get("backup", {}).get("enabled"),
    reason="whoever asks an archive begins no timeline that another has begun",
)
def test_a_member_of_another_history_is_held_out_of_elections_until_it_is_copied_anew(lab, forked):
    seen = until(lambda: [why for why in health(lab)["reasons"] if HELD in why], "health to tell it", 90, every_s=2)
    assert seen[0].startswith(f"{forked} ")
    assert f"patroni.reinitialize {forked}" in seen[0]
    assert health(lab)["verdict"] == "critical"
    row = lab.call("lb1", "patroni.members")[0][forked]
    assert row["state"] in ("streaming", "running")
    text, code = lab.call("lb1", "patroni.switchover", forked, check=False)
    assert code != 0, text
    lab.call("pg1", "patroni.reinitialize", forked)
    until(lambda: health(lab)["whole"] and health(lab)["verdict"] != "critical", "a whole cluster", 90, every_s=2)
    assert lab.run(forked, "ls", "/etc/patroni/merged").stdout.split() == ["config.yml"]


#: What a member says of the leader's log at a place: the verdict and why.
JUDGED = """
import sys
sys.path.insert(0, "/usr/local/lib/saltroni/python")
from saltroni.lineage import ask, history, judge
own = ask.Own(int(sys.argv[1])).look()
own.update(checkpoint=history.position(sys.argv[2]), timeline=int(sys.argv[3]), history=None)
print(*judge.judge(own, ask.upstream(own)))
"""


def test_a_segment_that_only_the_archive_waits_for_proves_nothing(lab):
    """The leader says of it that it is removed, by the code by which it says that a place isn't in its history."""
    whole(lab, 60)
    leader, _ = lab.call("lb1", "patroni.leader")
    node = next(name for name in lab.model["by_role"]["patroni"] if name != leader)
    folder, port = f"{lab.model['folders']['data']}/pg_wal", str(lab.model["postgresql"]["port"])

    def sql(text):
        return postgres(lab, leader, "psql", "-XAtqc", text)

    def judged():
        timeline = str(int(name[:8], 16))
        return postgres(lab, node, "/usr/bin/python3", "-P", "-", port, place, timeline, stdin=JUDGED)

    place = sql("SELECT pg_current_wal_insert_lsn()")
    name = sql(f"SELECT pg_walfile_name('{place}')")

    def gone():
        for _ in range(12):
            sql("SELECT pg_logical_emit_message(true, 'lab', 'x'); SELECT pg_switch_wal()")
        sql("CHECKPOINT")
        return lab.run(leader, "test", "-e", f"{folder}/{name}", check=False).returncode != 0

    until(gone, f"{name} to be removed", 120)
    assert "no log any more" in judged()
    # kept though it was removed: what it holds is of no account then
    kept, done = f"{folder}/{name}", f"{folder}/archive_status/{name}.done"
    make = f"touch {done}; cp {folder}/$(ls {folder} | grep -E '^[0-9A-F]{{24}}$' | head -n 1) {kept}"
    try:
        postgres(lab, leader, "sh", "-ec", make)
        assert "unknown the leader has no log any more of its checkpoint" in judged()
    finally:
        postgres(lab, leader, "rm", "-f", kept, done)
    assert postgres(lab, leader, "psql", "-XAtc", "SELECT 1") == "1"
