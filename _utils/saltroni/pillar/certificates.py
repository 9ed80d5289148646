"""Is a certificate still the one that a node should have?"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from saltroni import access


def _public_bytes(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _names(certificate):
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    found = {f"DNS:{name}" for name in extension.value.get_values_for_type(x509.DNSName)}
    return found | {f"IP:{address}" for address in extension.value.get_values_for_type(x509.IPAddress)}


def problem(crt, key, authority, wanted, renew_days, now=None):
    """Why a certificate must be made anew, or None.

    Args:
        crt, key, authority: PEM bytes of the certificate, its key, and the CA's certificate.
        wanted: ``{subject, names}`` as :func:`saltroni.pillar.signing.certificates` gives it.
        renew_days: days that must be left.
        now: the time to judge by, UTC.
    """
    try:
        certificate = x509.load_pem_x509_certificate(crt)
        issuer = x509.load_pem_x509_certificate(authority)
        private = serialization.load_pem_private_key(key, password=None)
    except ValueError as err:
        return f"it can't be read: {err}"
    if _public_bytes(private.public_key()) != _public_bytes(certificate.public_key()):
        return "it belongs to another key"
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return "it is from another CA"
    if certificate.subject.rfc4514_string() != wanted["subject"]:
        return "its subject is another"
    if _names(certificate) != set(wanted["names"]):
        return "its names are others"
    left = certificate.not_valid_after_utc - (now or datetime.datetime.now(datetime.UTC))
    if left < datetime.timedelta(days=renew_days):
        return f"it has {left.days} days left"
    return None


def own_problem(model, name):
    """:func:`problem` of this node's certificate ``name``; a missing file is one too.

    Args:
        model: the pillar's ``saltroni``.
    """
    crt, key = (Path(path) for path in access.files(name))
    authority = Path(access.CA)
    for path in (crt, key, authority):
        if not path.exists():
            return f"{path} is missing"
    return problem(
        crt.read_bytes(),
        key.read_bytes(),
        authority.read_bytes(),
        model["certificates"]["own"][name],
        model["certificates"]["renew_days"],
    )
