"""SeaweedFS on the node with role s3, by its own shell, which only this node can use.

Source: SeaweedFS's wiki, *weed shell*; what it prints was looked at in version 4.48.
"""

import http.client
import ssl
import subprocess

from saltroni import access, wait

WEED = "/opt/saltroni/seaweedfs/bin/weed"
SETTINGS = "/etc/saltroni/s3"
#: SeaweedFS's own ports at the loopback address.
MASTER, FILER = "127.0.0.1:9333", "127.0.0.1:8888"


class SeaweedError(RuntimeError):
    """SeaweedFS doesn't do what it was asked; the text says what and why."""


def answers(model, context=None):
    """Whether S3 is served here, with a certificate that clients accept: returns if so.

    Args:
        model: the pillar's ``saltroni``.
        context: how TLS is verified; by the cluster's CA without it.

    Raises:
        SeaweedError: why not.
    """
    name, port = model["self"]["name"], model["s3"]["port"]
    connection = None
    try:
        context = context or ssl.create_default_context(cafile=access.CA)
        connection = http.client.HTTPSConnection(name, port, timeout=5, context=context)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as err:
        raise SeaweedError(f"https://{name}:{port} doesn't answer: {err}") from err
    finally:
        if connection:
            connection.close()
    if status != http.client.OK:
        raise SeaweedError(f"https://{name}:{port}/healthz answers {status}")


def shell(*commands, timeout_s=30, weed=WEED, settings=SETTINGS, master=MASTER, filer=FILER):
    """Run commands of SeaweedFS's shell and return what it printed.

    Raises:
        SeaweedError: it failed or took too long; without a server it would wait for ever.
    """
    what = "; ".join(commands)
    command = [weed, "-logtostderr", f"-config_dir={settings}", "shell", f"-master={master}", f"-filer={filer}"]
    said = "".join(f"{line}\n" for line in commands)
    try:
        done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=timeout_s, check=False)
    except OSError as err:
        raise SeaweedError(f"{weed} can't be run ({err}): run this on the node with role s3") from err
    except subprocess.TimeoutExpired as err:
        raise SeaweedError(f"weed shell {what!r}: no answer in {timeout_s:g} s") from err
    # it tells what went wrong on either, and goes on with the next command
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error:")]
    if done.returncode != 0 or wrong:
        said = " ".join(wrong) or done.stderr.strip()[-300:] or "it failed without a word"
        raise SeaweedError(f"weed shell {what!r}: {said}")
    return done.stdout


def names(listed):
    """Names of buckets in what ``s3.bucket.list`` printed. Pure."""
    return sorted(line.split()[0] for line in listed.splitlines() if "size:" in line)


def buckets(**options):
    """Names of the buckets that there are.

    Raises:
        SeaweedError
    """
    return names(shell("s3.bucket.list", **options))


def make_bucket(name, **options):
    """Make a bucket, if it isn't there.

    Raises:
        SeaweedError
    """
    try:
        shell(f"s3.bucket.create -name {name}", **options)
    except SeaweedError as err:
        if "already exists" not in str(err):
            raise


def ready(model, deadline_s):
    """Wait until S3 is served and the shell answers; returns the names of the buckets.

    Raises:
        saltroni.wait.DeadlineError: says what it waited for.
    """

    def look():
        try:
            answers(model)
            return buckets()
        except SeaweedError as err:
            raise wait.NotYet(str(err)) from err

    return wait.until(look, "SeaweedFS on this node (journalctl -u saltroni-s3)", deadline_s, every_s=1)
