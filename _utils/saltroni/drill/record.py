"""What is left of a drill on disk: its record, and what every node logged meanwhile.

Below the drill's folder: ``started.json``, ``writes.jsonl`` (what each writer was told), ``result.json``,
``record.json`` (the result, each thing that was seen with its moment, replicas' lag) and ``logs/<node>.log``.
"""

import shutil
import time
from pathlib import Path

from saltroni.drill import journal

#: Folders of drills that ended, and of those that were killed: so many of each are kept, the newest.
KEPT = 200
#: Clocks of machines differ a little (seconds).
MARGIN_S = 2.0


def keep(folder, result, watched, fault_at, logs):
    """Write the record of a drill.

    Args:
        folder: the drill's folder.
        result: the drill's result.
        watched: see :meth:`saltroni.drill.watch.Watch.stop`; None if it never began.
        fault_at: monotonic seconds, to which all moments are made relative; None if there was no fault.
        logs: ``{node: {"text": ..., "cut_bytes": ...} or {"error": why}}``.
    """
    folder = Path(folder)
    told = {}
    for node, said in sorted(logs.items()):
        if "error" in said:
            told[node] = {"error": said["error"]}
            continue
        path = folder / "logs" / f"{node}.log"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(said["text"], encoding="utf-8")
        path.chmod(0o600)
        told[node] = {"file": str(path.relative_to(folder)), "cut_bytes": said["cut_bytes"]}
    moments, lag = relative(watched, fault_at) if watched else ({}, [])
    journal.keep(folder, "record.json", {**result, "seen": moments, "lag": lag, "logs": told})


def relative(watched, fault_at):
    """What was seen, in seconds from the fault (from the first look where there was none). Pure.

    Returns:
        ``({leader: [[s, name]], promoted: [[s, name]], servers: [[s, [names]]]}, [[s, {member: bytes}]])``
    """
    zero = watched["leader"][0][0] if fault_at is None else fault_at

    def moved(pairs):
        return [[round(at - zero, 3), what] for at, what in pairs]

    return {name: moved(watched[name]) for name in ("leader", "promoted", "servers")}, moved(watched["lag"])


def thinned(samples, most=60):
    """At most ``most`` of the samples, evenly spread, the first and the last among them. Pure."""
    if len(samples) <= most:
        return samples
    return [samples[round(place * (len(samples) - 1) / (most - 1))] for place in range(most)]


def window(begun_unix, clock=time.time):
    """``(since, until)``, Unix times between which a drill that began at ``begun_unix`` has ended now."""
    return begun_unix - MARGIN_S, clock() + MARGIN_S


def prune(root, kept=KEPT):
    """Remove the oldest drills' folders. Those of killed drills (no ``result.json``) are counted for themselves, so that
    many good drills don't push out what is to be looked at.

    Args:
        root: the folder of all drills.
        kept: how many of each kind stay.

    Returns:
        names of the folders that were removed.
    """
    ended, killed = [], []
    for folder in Path(root).iterdir():
        if folder.is_dir():
            (ended if (folder / "result.json").exists() else killed).append(folder)
    removed = []
    for folders in (ended, killed):
        folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders[kept:]:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed
