"""Two members are promoted to the same timeline number, one after the other: the first, when it is back, is listed as
streaming and receives nothing. It must be found, held out of elections, and let go when its data are new."""

import pytest

from .conftest import until, whole

HELD = "has another history than the leader and is held out of elections"


def postgres(lab, node, *command):
    return lab.run(node, "runuser", "-u", "postgres", "--", *command).stdout.strip()


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
