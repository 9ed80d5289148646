"""A pillar that breaks a rule is refused by the real master, on every node, and nothing changes."""

import yaml

from .conftest import MASTER, SETTINGS

PILLAR = "/srv/saltroni/pillar/cluster.sls"


def test_bad_pillar_changes_nothing(lab):
    before = lab.processes()
    good = lab.run(MASTER, "cat", PILLAR).stdout
    bad = dict(SETTINGS, haproxy={"timeout_check_ms": 15000, "fall": 3}, surprise=True)
    try:
        for settings, words in (
            (bad, "'surprise' was unexpected"),
            (dict(SETTINGS, haproxy={"timeout_check_ms": 15000, "fall": 3}), "frozen leader"),
        ):
            lab.run(MASTER, "sh", "-c", f"cat > {PILLAR}", stdin=yaml.safe_dump({"saltroni": settings}))
            answers = lab.apply()
            assert set(answers) == set(lab.model["nodes"])
            for node, answer in answers.items():
                assert isinstance(answer, list), node
                assert words in "".join(answer)
                assert "nothing is changed" in "".join(answer)
    finally:
        lab.run(MASTER, "sh", "-c", f"cat > {PILLAR}", stdin=good)
    assert lab.processes() == before
