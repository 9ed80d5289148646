"""The PGP key by which WAL-G encrypts what it stores: one for each cluster, made on the master by ``gpg``.

WAL-G's own OpenPGP library needs no ``gpg`` on a PostgreSQL node: it reads the key from a file. The file holds the secret
half, as nodes that archive also restore (replicas, rewinds, proofs). RSA, since every OpenPGP library knows it.
"""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from saltroni import clusters
from saltroni.pillar import secrets

FILE = "pgp.key"
BEGIN, END = "-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----"
BITS = 3072
#: How long making a key may take on a machine that lacks entropy or time (seconds).
TIMEOUT_S = 120


class PgpError(RuntimeError):
    """A key can't be made or isn't one; the text says what to do."""


def wanted(model):
    """Whether this cluster's backups are encrypted by PGP."""
    chosen = model["backup"]
    return bool(chosen["enabled"] and chosen["encryption"] and chosen["tool"] == "walg")


def key(folder, cluster):
    """The cluster's secret key (ASCII armour), made if there is none.

    Args:
        folder: the cluster's folder on the master.
        cluster: its name, for whoever finds the key one day.

    Raises:
        PgpError
    """
    path = Path(folder) / FILE
    try:
        with secrets.locked(Path(folder) / "secrets.lock"):
            if not path.exists():
                clusters.write(path, made(cluster))
            return checked(path.read_text(encoding="ascii"), path)
    except (OSError, ValueError) as err:
        raise PgpError(f"{path}: {err}") from err


def checked(text, where):
    """``text`` if it looks like secret keys in one armour.

    Raises:
        PgpError: it doesn't. Of several armours, one after the other, WAL-G reads the first only (3.0.9, tried).
    """
    if not text.lstrip().startswith(BEGIN) or not text.rstrip().endswith(END) or text.count(BEGIN) != 1:
        raise PgpError(f"{where} is no secret PGP key (one ASCII armour): restore it from a backup of the master")
    return text


def made(cluster, bits=BITS):
    """A new secret key without a passphrase, in ASCII armour.

    Raises:
        PgpError: ``gpg`` isn't there or fails.
    """
    with _home() as home:
        _gpg(home, "--generate-key", said=_parameters(cluster, bits))
        return _gpg(home, "--armor", "--export-secret-keys")


def rotate(folder, cluster, finish=False, bits=BITS):
    """Begin to change the key, or forget all but the newest.

    WAL-G encrypts by all keys that it has and decrypts by any of them (3.0.9, tried).

    Args:
        folder: the cluster's folder on the master.
        cluster: its name.
        finish: forget the old one.

    Returns:
        how many keys there are now.

    Raises:
        PgpError: there is no key, or the step makes no sense now.
    """
    path = Path(folder) / FILE
    try:
        with secrets.locked(Path(folder) / "secrets.lock"):
            if not path.exists():
                raise PgpError(f"{path} isn't there: the backups of {cluster} aren't encrypted by PGP")
            text, count = _rotated(checked(path.read_text(encoding="ascii"), path), cluster, finish, bits)
            clusters.write(path, text)
            return count
    except (OSError, ValueError) as err:
        raise PgpError(f"{path}: {err}") from err


def _rotated(text, cluster, finish, bits):
    with _home() as home:
        _gpg(home, "--import", said=text)
        known = _fingerprints(home)
        if finish and len(known) < 2:
            raise PgpError(f"{cluster} has one key: no change of keys was begun")
        if finish:
            return _gpg(home, "--armor", "--export-secret-keys", known[-1]), 1
        if len(known) > 1:
            raise PgpError(f"{cluster} has {len(known)} keys: a change of keys was begun, finish=True ends it")
        _gpg(home, "--generate-key", said=_parameters(cluster, bits))
        return _gpg(home, "--armor", "--export-secret-keys"), 2


def _fingerprints(home):
    """Keys, the oldest first. Source: GnuPG's ``doc/DETAILS``: a line ``sec`` (the 6th field is its time), then ``fpr``."""
    times, found = [], []
    for line in _gpg(home, "--list-secret-keys", "--with-colons").splitlines():
        fields = line.split(":")
        if fields[0] == "sec":
            times.append(int(fields[5]))
        elif fields[0] == "fpr" and len(found) < len(times):
            found.append(fields[9])
    return [fingerprint for _, fingerprint in sorted(zip(times, found, strict=True), key=lambda pair: pair[0])]


@contextlib.contextmanager
def _home():
    """A folder of its own for ``gpg``, gone afterwards with the agent that it started."""
    if not shutil.which("gpg"):
        raise PgpError("gpg isn't installed here: apply the master's state")
    with tempfile.TemporaryDirectory(prefix="saltroni-gpg-", ignore_cleanup_errors=True) as home:
        try:
            yield home
        finally:
            subprocess.run(
                ["gpgconf", "--homedir", home, "--kill", "all"], check=False, capture_output=True, timeout=TIMEOUT_S
            )


def _parameters(cluster, bits):
    # Source: GnuPG's manual, "Unattended key generation"
    return (
        f"%no-protection\nKey-Type: RSA\nKey-Length: {bits}\nKey-Usage: sign\nSubkey-Type: RSA\nSubkey-Length: {bits}\n"
        f"Subkey-Usage: encrypt\nName-Real: Saltroni backups of {cluster}\nExpire-Date: 0\n%commit\n"
    )


def _gpg(home, *arguments, said=""):
    command = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet", *arguments]
    try:
        done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as err:
        raise PgpError(f"gpg {arguments[0]}: {err}") from err
    if done.returncode != 0:
        raise PgpError(f"gpg {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout
