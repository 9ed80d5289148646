"""Which of a machine's labs a pillar names follows from its addresses."""

import os
import shutil
import subprocess

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("ruby"), reason="Ruby comes with Vagrant")


def network(tmp_path, addresses):
    """What lab/nodes.rb makes of nodes at these addresses: (variables, what it complains about)."""
    pillar = tmp_path / "cluster.sls"
    nodes = "".join(f"    n{i}: {{address: {address}, roles: [etcd]}}\n" for i, address in enumerate(addresses))
    pillar.write_text(f"saltroni:\n  nodes:\n{nodes}", encoding="utf-8")
    done = subprocess.run(
        ["ruby", "--disable-gems", ROOT / "lab" / "nodes.rb", "network"],
        env={**os.environ, "SALTRONI_PILLAR": str(pillar)},
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(line.split("=") for line in done.stdout.split()), done.stderr


def test_first_lab_has_the_plain_names(tmp_path):
    assert network(tmp_path, ["192.168.56.10", "192.168.56.11"])[0] == {
        "NUMBER": "0",
        "LAB_ID": "saltroni",
        "BRIDGE": "saltroni0",
        "PREFIX": "saltroni-",
        "NETWORK": "192.168.56.0/24",
        "GATEWAY": "192.168.56.1",
    }


def test_other_labs_have_names_of_their_own(tmp_path):
    assert network(tmp_path, ["192.168.63.10"])[0] == {
        "NUMBER": "7",
        "LAB_ID": "saltroni7",
        "BRIDGE": "saltroni7",
        "PREFIX": "saltroni7-",
        "NETWORK": "192.168.63.0/24",
        "GATEWAY": "192.168.63.1",
    }


@pytest.mark.parametrize(
    ("addresses", "complaint"),
    [
        (["192.168.56.10", "192.168.57.11"], "in one /24 network, here: 192.168.56.0/24: n0; 192.168.57.0/24: n1"),
        (["192.168.64.10"], "n0's address 192.168.64.10 is outside 192.168.56.0 to 192.168.63.255"),
        (["10.0.0.1"], "n0's address 10.0.0.1 is outside"),
    ],
)
def test_addresses_that_make_no_lab_are_refused(tmp_path, addresses, complaint):
    variables, refused = network(tmp_path, addresses)
    assert variables == {}
    assert complaint in refused
