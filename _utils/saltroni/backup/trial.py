"""The restore proof itself: a base backup is fetched, recovered, asked and checked. Run in a unit of its own, as postgres.

See :mod:`saltroni.backup.prove` for what is looked at before, and who calls this.
"""

import time
from datetime import UTC, datetime

from saltroni.backup import private, target
from saltroni.backup.copy import Copy
from saltroni.backup.failure import Failure

#: Where the marker is: a schema of our own in the database that every cluster has.
MARKER = "SELECT count(*) FROM saltroni.marker WHERE id = '{}'"
#: pg_amcheck's exit code when it has found something.
FOUND = 2
PASSED, FAILED = "passed", "failed"


def prove(job, tool=None):
    """Do a proof.

    Args:
        job: ``{settings, folder, backup, target, timeline, marker, deadline_s}``: the file of settings, a folder of
            postgres's own, the base backup's id, the target as :meth:`saltroni.backup.target.Target.row` gives it, the
            timeline to follow, the id of the row that must be there (None for a proof of the past), seconds for all.
        tool: for tests.

    Returns:
        ``{reasons, parts, recovery_s, loss_s, last_commit, timeline, bytes}``: :func:`verdict` reads ``reasons``.
    """
    begun, begun_at = time.monotonic(), datetime.now(UTC)
    parts = {}
    result = {"reasons": [], "parts": parts, "recovery_s": None, "loss_s": None, "last_commit": None, "timeline": None}

    def left():
        found = job["deadline_s"] - (time.monotonic() - begun)
        if found <= 0:
            raise Failure("timeout", f"the proof wasn't over within {job['deadline_s']:g} s")
        return found

    def timed(part, call, *arguments):
        since = time.monotonic()
        try:
            return call(*arguments)
        finally:
            parts[part] = round(time.monotonic() - since, 1)

    copy = Copy(job["settings"], job["folder"], tool=tool)
    try:
        timed("fetch_s", copy.fetch, job["backup"])
        timed("recover_s", _recover, copy, job, left)
        result["recovery_s"] = round(time.monotonic() - begun, 1)
        try:
            result["timeline"] = copy.server.ask("SELECT timeline_id FROM pg_control_checkpoint()")[0][0]
            result |= _losses(copy.server, begun_at)
            result["reasons"] += timed("marker_s", _marked, copy.server, job["marker"]) if job.get("marker") else []
            result["reasons"] += timed("amcheck_s", _indexes, copy, left)
        finally:
            timed("stop_s", copy.server.stop)
        found = copy.stopped_in_order()
        result["checksums"] = found.checksums
        result["reasons"] += timed("checksums_s", _checksums, copy, left) if found.checksums else []
    except Failure as err:
        result["reasons"].append(str(err))
        result["failure"] = err.kind
    finally:
        copy.server.stop(20)
    result["took_s"] = round(time.monotonic() - begun, 1)
    result["verdict"] = FAILED if result["reasons"] else PASSED
    return result


def _recover(copy, job, left):
    asked = target.parse(job["target"])
    copy.start(asked, job.get("timeline"), careless=True)
    copy.server.await_promoted(left())


def _losses(server, begun_at):
    """What a loss of everything when the proof began would have cost: the time since the last commit that came back."""
    text = server.last_commit()
    if text is None:
        return {"last_commit": None, "loss_s": None}
    last = moment(text)
    return {
        "last_commit": last.isoformat(timespec="milliseconds"),
        "loss_s": round(max(0.0, (begun_at - last).total_seconds()), 1),
    }


def moment(text):
    """PostgreSQL's time with zone, as its log has it: ``2026-11-24 23:36:19.861332+00``. Pure."""
    return datetime.fromisoformat(text.strip() + (":00" if len(text.strip().rsplit("+", 1)[-1]) == 2 else ""))


def _marked(server, marker):
    count = server.ask(MARKER.format(marker))
    if count == [["1"]]:
        return []
    return ["the row that was written after the base backup, and whose segment was archived, isn't there"]


def _indexes(copy, left):
    """Tables and indexes as PostgreSQL's own ``amcheck`` sees them; what is wrong as sentences."""
    command = [
        copy.settings.programs / "pg_amcheck", "--all", "--install-missing", "--jobs=2",
        "-h", copy.run, "-p", "5999", "-U", "postgres",
    ]  # fmt: skip
    said = private.run(command, "pg_amcheck", left(), kind="corrupt", accept=(0, FOUND)).strip()
    return [f"pg_amcheck: {private.tail(said, 3)}"] if said else []


def _checksums(copy, left):
    """Every page's checksum; what is wrong as sentences."""
    command = [copy.settings.programs / "pg_checksums", "--check", "-D", copy.data]
    try:
        private.run(command, "pg_checksums", left(), kind="corrupt")
    except Failure as err:
        return [str(err)]
    return []
