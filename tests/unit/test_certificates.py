"""When a certificate must be made anew."""

import datetime

import pytest

from saltroni.pillar import certificates

from .. import pki

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WANTED = {"subject": "OU=pg1,O=saltroni demo", "names": ["DNS:pg1", "IP:192.0.2.1"]}


def signed(subject, private, issuer, issuer_key, days=90, names=("pg1", "192.0.2.1")):
    return pki.signed(subject, private, issuer, issuer_key, NOW, days, names)


@pytest.fixture(scope="module")
def keys():
    return [pki.key() for _ in range(3)]


def problem(keys, crt, key=None):
    authority = signed("CN=ca", keys[0], "CN=ca", keys[0], days=900)
    return certificates.problem(crt, pki.pem(key or keys[1]), authority, WANTED, renew_days=30, now=NOW)


def test_good_one(keys):
    assert problem(keys, signed(WANTED["subject"], keys[1], "CN=ca", keys[0])) is None


def test_each_fault_is_seen(keys):
    subject = WANTED["subject"]
    assert "days left" in problem(keys, signed(subject, keys[1], "CN=ca", keys[0], days=29))
    assert "another key" in problem(keys, signed(subject, keys[1], "CN=ca", keys[0]), key=keys[2])
    assert "another CA" in problem(keys, signed(subject, keys[1], "CN=ca", keys[2]))
    assert "subject" in problem(keys, signed("OU=pg2,O=saltroni demo", keys[1], "CN=ca", keys[0]))
    assert "names" in problem(keys, signed(subject, keys[1], "CN=ca", keys[0], names=("pg1", "192.0.2.2")))
    assert "can't be read" in problem(keys, b"nonsense")
