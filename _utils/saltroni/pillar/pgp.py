"""The PGP key by which WAL-G encrypts what it stores: one for each cluster, made on the master by ``gpg``.

WAL-G's own OpenPGP library needs no ``gpg`` on a PostgreSQL node: it reads the key from a file. The file holds the secret
half, as nodes that archive also restore (replicas, rewinds, proofs). RSA, since every OpenPGP library knows it.
"""

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
    """``text`` if it looks like one or several secret keys.

    Raises:
        PgpError: it doesn't.
    """
    if not text.lstrip().startswith(BEGIN) or not text.rstrip().endswith(END):
        raise PgpError(f"{where} is no secret PGP key (ASCII armour): restore it from a backup of the master")
    return text


def rotate(folder, cluster, finish=False):
    """Begin to change the key, or forget all but the newest.

    Args:
        folder: the cluster's folder on the master.
        cluster: its name.
        finish: forget the old one.

    Returns:
        how many keys there are now; the newest is the first.

    Raises:
        PgpError: there is no key, or the step makes no sense now.
    """
    path = Path(folder) / FILE
    try:
        with secrets.locked(Path(folder) / "secrets.lock"):
            if not path.exists():
                raise PgpError(f"{path} isn't there: the backups of {cluster} aren't encrypted by PGP")
            keys = blocks(checked(path.read_text(encoding="ascii"), path))
            if finish and len(keys) < 2:
                raise PgpError(f"{cluster} has one key: no change of keys was begun")
            if not finish and len(keys) > 1:
                raise PgpError(f"{cluster} has {len(keys)} keys: a change of keys was begun, finish=True ends it")
            keys = keys[:1] if finish else [made(cluster), *keys]
            clusters.write(path, "".join(keys))
            return len(keys)
    except (OSError, ValueError) as err:
        raise PgpError(f"{path}: {err}") from err


def blocks(text):
    """The keys in ``text``, each in its own armour. Pure."""
    return [f"{BEGIN}{part.rstrip()}\n" for part in text.split(BEGIN)[1:]]


def made(cluster, bits=BITS):
    """A new secret key without a passphrase.

    Raises:
        PgpError: ``gpg`` isn't there or fails.
    """
    if not shutil.which("gpg"):
        raise PgpError("gpg isn't installed here: apply the master's state")
    with tempfile.TemporaryDirectory(prefix="saltroni-gpg-", ignore_cleanup_errors=True) as home:
        try:
            _gpg(home, "--generate-key", said=_parameters(cluster, bits))
            return _gpg(home, "--armor", "--export-secret-keys")
        finally:
            # it started an agent, which would outlive its home
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
