"""Holds this member out of elections, and lets it go. By Patroni's own means: tags.

Patroni reads all files of a folder: ours has nothing but the tags. A mark in the data directory remembers why, and goes
with the data when they are copied anew.

Source: Patroni's documentation, *YAML configuration settings*, "Tags"; ``config.py``, ``_load_config_path``.
"""

import json
import os
import signal
from pathlib import Path

FOLDER = Path("/etc/patroni/merged")
FILE = FOLDER / "held.yml"
PROGRAM = "/usr/bin/patroni"
MARK = "saltroni.forked"
#: The tag that tells others why.
TAG = "saltroni_held"
#: Not a leader, confirms no commit and so has no vote, gets no reads.
TAGS = {"nofailover": True, "nosync": True, "noloadbalance": True}


def _write(path, text):
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(path)


def mark(data_dir, sentence):
    """Remember that these data are no part of the leader's history."""
    _write(Path(data_dir) / MARK, json.dumps({"why": sentence}) + "\n")


def marked(data_dir):
    """Why these data are marked, None if they aren't."""
    try:
        return json.loads((Path(data_dir) / MARK).read_text(encoding="utf-8"))["why"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as err:
        return f"its mark can't be read ({err})"


def rendered(sentence):
    """The file that Patroni reads. JSON is YAML."""
    return json.dumps({"tags": {**TAGS, TAG: sentence}}) + "\n"


def is_held(path=FILE):
    """Whether the file is there."""
    return path.exists()


def hold(sentence, path=FILE):
    """Hold this member; returns whether anything changed."""
    text = rendered(sentence)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    _write(path, text)
    return True


def release(path=FILE):
    """Let it go; returns whether anything changed."""
    if not path.exists():
        return False
    path.unlink()
    return True


def patroni(proc=Path("/proc")):
    """``(pid, arguments)`` of this user's Patroni, ``(None, [])`` without one."""
    for entry in sorted(proc.iterdir()):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                arguments = (entry / "cmdline").read_text(encoding="utf-8").split("\0")
                if PROGRAM in arguments[:2]:
                    return int(entry.name), arguments
        except OSError:
            continue  # it has ended meanwhile
    return None, []


def reload():
    """Have Patroni read its configuration anew; returns why that is in vain, or None."""
    pid, arguments = patroni()
    if pid is None:
        return "Patroni doesn't run; it will read it when it starts"
    os.kill(pid, signal.SIGHUP)
    if not any(argument.rstrip("/") == str(FOLDER) for argument in arguments):
        return f"Patroni was started before it read {FOLDER}: restart Patroni (systemctl restart patroni)"
    return None
