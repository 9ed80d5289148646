"""The report on the lab's master: what happened while it was away, killed or cut off is in it, once and at its time."""

import json
import subprocess

from .conftest import MASTER, ROOT, until, whole

BURST = """
import sys
sys.path.insert(0, "/var/cache/salt/minion/extmods/utils")
from saltroni.spool import files
for number in range(int(sys.argv[1])):
    files.put("lab/burst", {"number": number})
"""
NUMBER = 1000


def runner(lab, *command, check=True):
    """A runner's answer."""
    done = lab.run(MASTER, "salt-run", "--out=json", *command, check=check)
    return json.loads(done.stdout)


def members(lab, asked):
    command = ("runuser", "-u", "postgres", "--", "patronictl", "-c", "/etc/patroni/config.yml", "list", "-f", "json")
    return json.loads(lab.run(asked, *command).stdout)


def leader(lab, besides=None):
    """Who leads, asked of a member without the master."""
    asked = next(name for name in lab.model["by_role"]["patroni"] if name != besides)
    return next((row["Member"] for row in members(lab, asked) if row["Role"] == "Leader"), None)


def kill_leader(lab):
    """The leader's postmaster is killed; (old, new leader)."""
    old = leader(lab)
    lab.run(old, "sh", "-c", f"kill -9 $(head -n 1 {lab.model['folders']['data']}/postmaster.pid)")
    new = until(lambda: (now := leader(lab)) not in (None, old) and now, "another leader", 30)
    until(lambda: {row["State"] for row in members(lab, new)} <= {"running", "streaming"}, "all members", 60)
    return old, new


def failovers(lab, since):
    """Changes of the leader since then, as the report tells them to programs."""
    runner(lab, "report.write")
    told = json.loads(lab.run(MASTER, "cat", f"/var/lib/saltroni/{lab.model['cluster']}/REPORT.json").stdout)
    return [change for change in told["failovers"] if change["time"] >= since]


def clock(lab):
    return lab.run(MASTER, "date", "--utc", "+%Y-%m-%dT%H:%M:%S").stdout.strip()


def complete(lab):
    verified = runner(lab, "report.verify")[lab.model["cluster"]]
    return verified["ok"] and verified


def test_failovers_while_the_master_was_away_are_told(lab):
    whole(lab, 90)
    since = clock(lab)
    lab.run(MASTER, "systemctl", "stop", "salt-master")
    try:
        made = [kill_leader(lab) for _ in range(2)]
    finally:
        lab.run(MASTER, "systemctl", "start", "salt-master")
    back = clock(lab)
    until(lambda: len(failovers(lab, since)) == 2, "both in the report", 150, every_s=5)
    told = failovers(lab, since)
    assert [(change["old_leader"], change["new_leader"]) for change in told] == made
    assert all(change["time"] < back for change in told)
    until(lambda: complete(lab), "nothing to be missing", 90, every_s=5)


def test_a_master_that_is_killed_in_a_burst_has_each_event_once(lab):
    since = clock(lab)
    lab.run("pg1", "/opt/salt/bin/python", "-", str(NUMBER), stdin=BURST)
    sending = subprocess.Popen(
        [str(ROOT / "lab" / "run"), "pg1", "salt-call", "spool.send"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    until(lambda: 0 < waiting(lab) < NUMBER, "the burst to have begun", 60, every_s=0.1)
    lab.run(MASTER, "systemctl", "kill", "--signal=SIGKILL", "salt-master")
    lab.run(MASTER, "systemctl", "start", "salt-master")
    sending.communicate(timeout=240)  # a request that was under way has Salt's own deadlines, and tries
    until(lambda: waiting(lab) == 0, "the spool to be empty", 180, every_s=2)
    shown = [line for line in runner(lab, "report.show", f"since={since}") if " lab/burst " in line]
    assert len(shown) == NUMBER
    assert len({line.split()[-1] for line in shown}) == NUMBER
    until(lambda: complete(lab), "every node to answer, and nothing to be missing", 90, every_s=5)


def waiting(lab):
    return int(lab.run("pg1", "sh", "-c", "ls /var/spool/saltroni | grep -c '[.]json$' || true").stdout)


def test_a_node_that_was_cut_off_tells_afterwards(lab):
    """It is the leader, and cut off while another takes over."""
    whole(lab, 90)
    since, old = clock(lab), leader(lab)
    lasts_s = lab.call("lb1", "patroni.drills")[0]["network_cut"]["lasts_s"]
    lab.call(old, "fault.inject", "network_cut", f"deadline_s={lasts_s}")
    new = until(lambda: (now := leader(lab, besides=old)) not in (None, old) and now, "another leader", lasts_s + 5)
    whole(lab, lasts_s + 90)
    until(lambda: lab.call(old, "spool.waiting")[0] == [], "its spool to be empty", 90, every_s=3)
    (told,) = failovers(lab, since)
    assert (told["old_leader"], told["new_leader"]) == (old, new)
    shown = [line.split() for line in runner(lab, "report.show", f"since={since}")]
    # what it told of itself happened while nobody could hear it, or when it was back
    assert [line for line in shown if line[1] == "role/changed" and line[2] == old]
    until(lambda: complete(lab), "every node to answer, and nothing to be missing", 90, every_s=5)
