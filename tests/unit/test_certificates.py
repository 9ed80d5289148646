"""When a certificate must be made anew."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from saltroni.pillar import certificates

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WANTED = {"subject": "OU=pg1,O=saltroni demo", "names": ["DNS:pg1", "IP:192.0.2.1"]}


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signed(subject, key, issuer, issuer_key, days=90, names=("pg1", "192.0.2.1")):
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(subject))
        .issuer_name(x509.Name.from_rfc4514_string(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(names[0]), x509.IPAddress(ipaddress.ip_address(names[1]))]), False
        )
    )
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def keys():
    return [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]


def problem(keys, crt, key=None):
    authority = signed("CN=ca", keys[0], "CN=ca", keys[0], days=900)
    return certificates.problem(crt, pem(key or keys[1]), authority, WANTED, renew_days=30, now=NOW)


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
