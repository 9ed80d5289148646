"""HAProxy ends the sessions of servers that are down, and forgets nobody meanwhile."""

import json
from pathlib import Path

LASTS_S = 30


def test_a_client_that_is_refused_while_its_server_is_marked_down_is_told(lab):
    """By HAProxy's own ``on-marked-down shutdown-sessions`` a client would wait for ever in every 35th fall of a server."""
    balancer, members = lab.model["by_role"]["haproxy"][0], lab.model["by_role"]["patroni"]
    addresses = [lab.model["nodes"][name]["address"] for name in members[:2]]
    script = (Path(__file__).parent / "refusing.py").read_text(encoding="utf-8")
    lua = "lua-load /etc/haproxy/end-sessions.lua"
    done = lab.run(balancer, "python3", "-", lua, str(LASTS_S), *addresses, stdin=script)
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["downs"] >= LASTS_S and seen["connections"] > 5000, seen
    assert seen["ended"] >= LASTS_S / 2, seen
    assert (seen["forgotten"], seen["kept"]) == (0, 0), seen
