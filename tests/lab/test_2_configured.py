"""Configuration that is rendered for several pillars is taken by the real programs, on nodes that have them."""

import pytest

from ..render.conftest import PILLARS, caller  # noqa: F401  (a fixture)

CHECK = """
set -eu
umask 077
file=$(mktemp)
trap 'rm -f "$file"' EXIT
cat >"$file"
"$@" "$file"
"""


def rendered(run, source, tmp_path):
    target = tmp_path / "rendered"
    assert run.cmd("cp.get_template", f"salt://{source}", str(target))
    return target.read_text(encoding="utf-8")


def check(lab, node, text, *command):
    done = lab.run(node, "sh", "-c", CHECK, "check", *command, stdin=text, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(PILLARS))
def test_haproxy_takes_its_configuration(lab, caller, tmp_path, name):  # noqa: F811
    pillar = PILLARS[name]
    node = "lb1" if "lb1" in pillar.get("nodes", lab.model["nodes"]) else "pg1"
    text = rendered(caller(node, pillar), "haproxy/files/haproxy.cfg.jinja", tmp_path)
    check(lab, "lb1", text, "haproxy", "-c", "-q", "-f")


# Patroni's check wants the programs of PostgreSQL's version, and the lab has one version
@pytest.mark.parametrize(
    "name", sorted(n for n, p in PILLARS.items() if p.get("postgresql", {}).get("version", 17) == 17)
)
def test_patroni_takes_its_configuration(lab, caller, tmp_path, name):  # noqa: F811
    text = rendered(caller("pg1", PILLARS[name]), "patroni/files/patroni.yml.jinja", tmp_path)
    check(lab, "pg1", text, "/usr/local/lib/saltroni/check-patroni-config")


def test_the_checks_refuse_what_is_wrong(lab):
    for node, text, command in (
        ("lb1", "global\n  nonsense yes\n", ("haproxy", "-c", "-q", "-f")),
        ("pg1", "scope: demo\nname: pg1\n", ("/usr/local/lib/saltroni/check-patroni-config",)),
    ):
        assert lab.run(node, "sh", "-c", CHECK, "check", *command, stdin=text, check=False).returncode != 0
