"""A node's parcel in Salt's mine, and the master's answer in its place.

The mine is what a node may write and read by its own key only, and costs the master little. (``publish.runner`` has the
master make a whole minion for each call: 0.3 s of CPU.) The letter is the mine's entry :data:`NAME`, wrapped by Salt so
that no other node may read it; a bell on the event bus says that it is there. A bell proves nothing and carries nothing.
"""

import hashlib

from saltroni.spool import parcel

NAME = "saltroni_spool"
#: The bell's tag, for the node's cluster.
BELL = "saltroni/{cluster}/spool/filled"
#: How long the master may take for an answer (seconds), and when it is looked for; it takes 0.1 s when nothing else is done.
ANSWER_S, LOOK_S = 6.0, 0.25


def mark(text):
    """What an answer names its letter by. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def letter(entries):
    """The parcel that waits in a node's mine; None if there is none. Pure.

    Args:
        entries: the node's mine as the master keeps it.
    """
    entry = entries.get(NAME) if isinstance(entries, dict) else None
    text = entry.get("__data__") if isinstance(entry, dict) else None
    return text if isinstance(text, str) and text.startswith(parcel.MARK) else None


def answered(entries, text, answer):
    """A node's mine with the answer in the letter's place. Pure.

    Args:
        entries: the node's mine.
        text: the letter that is answered.
        answer: what ``report.receive`` would have returned.

    Returns:
        the mine to keep; None if another letter lies there by now.
    """
    if letter(entries) != text:
        return None
    return {**entries, NAME: {**entries[NAME], "__data__": {"answers": mark(text), **answer}}}


def answer(found, text):
    """The master's answer to a letter, from what a node finds in its mine; None if it isn't there yet. Pure."""
    if not isinstance(found, dict) or found.get("answers") != mark(text):
        return None
    return {name: found.get(name) for name in ("recorded", "refused")}
