"""Runs a tool with a deadline and says, without secrets, by what it failed."""

import contextlib
import os
import pwd
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from saltroni.backup.failure import Failure

__all__ = ["Done", "Failure", "classify", "failure", "run", "scrub", "short"]

#: How long a tool may take to end by itself when its time is over (seconds).
GRACE_S = 10
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

#: What a tool says -> the kind of failure; the first that fits counts. Texts are those of the AWS SDK, of S3 servers, Go,
#: WAL-G and pgBackRest.
RULES = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # Go says "has expired or is not yet valid" of both; of one that has ended it goes on "… is after …"
        ("clock", r"RequestTimeTooSkewed|RequestExpired|certificate is not yet valid|is before \d{4}-\d\d-"),
        # a server that is about to end answers "tls: internal error"
        ("certificate", r"x509|unable to verify|certificate|tls: (?!handshake timeout|internal error)"),
        ("no_bucket", r"NoSuchBucket"),
        # an info file that can't be loaded has any other reason, too
        ("gone", r"unable to open missing file '.*\.info|missing stanza"),
        ("foreign", r"ArchiveMismatchError|BackupMismatchError|DbMismatchError|system-id [0-9]+ do not match"),
        ("differs", r"contents differ|ArchiveDuplicateError|already exists in the (repo|archive).*different checksum"),
        ("full", r"no space left|StorageFull|InsufficientStorage|Quota ?Exceeded|status code: 507"),
        (
            "credentials",
            r"SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|InvalidToken|ExpiredToken|Forbidden|"
            r"status code: 40[13]|permission denied|AccessError",
        ),
        (
            "unreachable",
            r"connection refused|no route to host|network is unreachable|i/o timeout|no such host|connection reset|"
            r"broken pipe|send request failed|handshake timeout|deadline exceeded|HostConnectError|unable to connect|"
            r"unable to get address|timeout|status code: 50\d|SlowDown|ServiceUnavailable|InternalError|ServiceError",
        ),
        (
            "corrupt",
            r"magic number|openpgp|unexpected EOF|corrupt|invalid header|tag byte|checksum|CryptoError|unable to flush|"
            r"ChecksumError|FormatError|decompress|cipher header|"
            # what a single bit makes of what zstd has packed
            r"CRC check|literal|decrypt reader|invalid (?:input|offset)|block (?:size|too|type)|frame size|window size|"
            r"tableLog|output table|match (?:len|offset)|huff0|extra bits|Extraction error",
        ),
        ("settings", r"failed to find any configured storage|failed to configure|OptionRequired|OptionInvalid"),
    )
)

#: How far a request's time may be from the storage's (seconds). Source: Amazon S3's documentation, "RequestTimeTooSkewed".
SKEW_S = 900
_OWN_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d+ P\d\d ", re.MULTILINE)
_THEIR_TIME = re.compile(r"^\s*date: (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)\s*$", re.MULTILINE | re.IGNORECASE)

#: What could be a secret in a tool's words: a value that follows such a name.
_NAMED = re.compile(
    r"(?i)\b(\w*(?:secret(?:[-_]?access)?(?:[-_]?key)?|password|passwd|passphrase|session[-_]?token|cipher-pass)|"
    r"(?:aws[-_]?)?access[-_]?key(?:[-_]?id)?|(?:x-amz-)?(?:signature|credential))"
    r"(\"?\s*[=:]\s*\"?)([^\s\",;]{8,})"
)
_CONFIGURED = re.compile(
    r"(?im)^\s*\"?(?:AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|PGPASSWORD|WALG_PGP_KEY_PASSPHRASE|"
    r"repo\d+-s3-key(?:-secret)?|repo\d+-cipher-pass)\"?\s*[:=]\s*[\"']?([^\"'\s]{4,})"
)
_STAMP = re.compile(r"^(?:<\d+>)?(?:ERROR|FATAL|WARNING|INFO): \d{4}/\d\d/\d\d [\d:.]+ ?|^[-\d]+ [:.\d]+ P\d\d +")
#: What follows the line that tells what failed, and tells why.
_CAUSE = re.compile(r"caused by:|repo\d+: |\[?\w+Error\]? |\w+Error:|HINT: is|dial tcp|Get \"|Put \"|Head \"")
_TOLD = re.compile(r"^(?:<\d+>)?(?:ERROR|FATAL)|P\d\d +ERROR|panic:")
#: What only says that the line before was the end of it.
_EMPTY = re.compile(r"could not complete upload|unable to complete uploads|^failed to extract files:$")


@dataclass(frozen=True)
class Done:
    """What a tool left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def text(self):
        """All that it wrote."""
        return f"{self.err}\n{self.out}"


def run(arguments, timeout_s, user=None, environment=None, folder="/"):
    """Run a program to its end.

    What it writes goes to memory, not to pipes nor to a disk: neither a child that it leaves behind nor a full disk can
    hold us.

    Args:
        arguments: the program and its arguments; no secret among them.
        timeout_s: seconds until it is told to end, and killed :data:`GRACE_S` later.
        user: whose rights it gets if root calls.
        environment: variables beside the few that every program gets; no secret among them.
        folder: where it works.

    Returns:
        a :class:`Done`, whatever its exit code.

    Raises:
        Failure: ``timeout``, or ``settings`` if it can't be started.
    """
    home, rights = _rights(user)
    variables = {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": home, **(environment or {})}
    what = f"{Path(arguments[0]).name} {arguments[1] if len(arguments) > 1 else ''}".strip()
    with os.fdopen(os.memfd_create("out"), "w+b") as out, os.fdopen(os.memfd_create("err"), "w+b") as err:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=variables, cwd=folder, **rights
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Failure("settings", f"{arguments[0]} can't be run: {error}") from error
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            said = short(_read(err) + _read(out))
            raise Failure("timeout", f"{what} was ended after {timeout_s:g} s: {said}") from None
        except BaseException:
            _end(process)
            raise
        return Done(code, _read(out), _read(err))


def _rights(user):
    """Home and ``Popen``'s arguments for the rights of ``user``; only root can give its own away."""
    if user is None or os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_dir, {}
    try:
        account = pwd.getpwnam(user)
    except KeyError as err:
        raise Failure("settings", f"there is no user {user} here") from err
    groups = os.getgrouplist(user, account.pw_gid)
    return account.pw_dir, {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


def _end(process):
    for signal in (process.terminate, process.kill):
        with contextlib.suppress(ProcessLookupError):
            signal()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
            return


def _read(file):
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def classify(text, code=None, tool="walg"):
    """The kind of failure that a tool's words mean. Pure.

    Args:
        text: what it wrote.
        code: its exit code.
        tool: ``walg`` or ``pgbackrest``.
    """
    # Source: pgBackRest's src/build/error/error.yaml
    codes = {26: "corrupt", 44: "foreign", 45: "differs", 49: "unreachable", 51: "foreign", 95: "corrupt", 106: "clock"}
    found = next((kind for kind, pattern in RULES if pattern.search(text)), None)
    if found == "credentials" and _skewed(text):
        return "clock"
    if found is None and tool == "pgbackrest":
        found = {**codes, 50: "busy", 82: "timeout", 101: "unreachable", 105: "credentials"}.get(code)
    return found or "other"


def _skewed(text):
    """Whether pgBackRest's own time, as it stands in its words, is far from that in the storage's answer: to a question for
    headers only, that answer doesn't say why it refuses. Pure."""
    own, theirs = _OWN_TIME.search(text), _THEIR_TIME.search(text)
    if not own or not theirs:
        return False
    here = datetime.fromisoformat(own[1]).replace(tzinfo=UTC)
    return abs((here - parsedate_to_datetime(theirs[1])).total_seconds()) > SKEW_S


def short(text, most=400):
    """The line or two of a tool's words that tell why, without times. Pure."""
    told, last = [], []
    for line in (line.strip() for line in text.splitlines()):
        if _TOLD.search(line):
            told.append(_STAMP.sub("", line))
        elif told and _CAUSE.match(line):
            told[-1] += f"; {line}"
        if line:
            last = [*last[-1:], line]
    told = [line for line in told if not _EMPTY.search(line)] or told
    return scrub("; ".join(dict.fromkeys((told or last)[-2:])))[:most] or "it said nothing"


def scrub(text, secrets=()):
    """``text`` without what looks like a secret, nor any of ``secrets``. Pure."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _NAMED.sub(lambda found: f"{found[1]}{found[2]}***", text)


def configured(path):
    """The secrets in a tool's file of settings, so that its words can be cleaned of them; [] if it can't be read."""
    try:
        return _CONFIGURED.findall(Path(path).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def failure(done, what, tool, settings_file):
    """The :class:`Failure` that a finished tool means.

    Args:
        done: what it left.
        what: what was tried, as words.
        tool: ``walg`` or ``pgbackrest``.
        settings_file: its own file of settings, whose secrets mustn't be repeated.
    """
    said = short(scrub(done.text, configured(settings_file)))
    return Failure(classify(done.text, done.code, tool), f"{what}: exit code {done.code}: {said}")
