"""The lease guard on the real leader: a frozen Patroni is fenced before its lease ends, and its own end harms nobody."""

from .conftest import until, whole

GUARD = "saltroni-guard"


def leader(lab):
    return lab.call("lb1", "patroni.leader")[0]


def journal(lab, node, since):
    return lab.run(node, "journalctl", "--unit", GUARD, "--output=cat", f"--since=@{since}").stdout


def now(lab, node):
    return int(lab.run(node, "date", "+%s").stdout)


def test_every_member_has_one_and_health_shows_it(lab):
    health, _ = lab.call("lb1", "patroni.health")
    assert {name: said.get("parts") for name, said in health["guards"].items()} == {
        name: ["connections", "lease", "wake"] for name in lab.model["by_role"]["patroni"]
    }
    assert health["guards"][health["leader"]]["lease_s"] > lab.model["timings"]["ttl_s"] / 2
    for name in lab.model["by_role"]["patroni"]:
        assert lab.run(name, "stat", "--format=%U %a", "/etc/saltroni/guard.json").stdout.split() == ["postgres", "600"]


def test_a_full_server_is_not_a_frozen_one(lab):
    """Every connection is taken: new ones get a refusal, which is an answer."""
    name = leader(lab)
    begun = now(lab, name)
    fill = (
        "import psycopg2, time\n"
        "held = []\n"
        "try:\n"
        "    while True: held.append(psycopg2.connect(dbname='postgres', user='postgres'))\n"
        "except psycopg2.OperationalError as err: print(len(held), err)\n"
        "time.sleep(5)\n"
    )
    said = lab.run(name, "runuser", "-u", "postgres", "--", "/usr/bin/python3", "-c", fill).stdout
    assert "too many" in said or "remaining connection slots" in said
    assert "killed" not in journal(lab, name, begun)
    assert leader(lab) == name


def test_its_end_harms_nobody(lab):
    name = leader(lab)
    before = lab.processes()[name]
    lab.run(name, "systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", GUARD)
    until(lambda: active(lab, name), "the guard to run again", 15)
    assert lab.processes()[name] == before
    assert leader(lab) == name


def active(lab, name):
    return lab.run(name, "systemctl", "is-active", GUARD, check=False).stdout.strip() == "active"


def test_a_frozen_patroni_is_fenced_before_its_lease_ends(lab):
    """PostgreSQL has ended while the key is still the old leader's: no other can have led at that time."""
    name = leader(lab)
    begun = now(lab, name)
    lab.call(name, "fault.inject", "patroni_frozen", "40")
    try:
        until(lambda: "stopped PostgreSQL" in journal(lab, name, begun), "the guard to stop PostgreSQL", 30)
        assert "Patroni neither renews it" in journal(lab, name, begun)
        other = next(other for other in lab.model["by_role"]["patroni"] if other != name)
        assert lab.call(other, "patroni.leader")[0] == name
        until(lambda: lab.call(other, "patroni.leader")[0] not in (None, name), "another leader", 20)
    finally:
        lab.call(name, "fault.heal", "patroni_frozen")
    whole(lab, 60)
