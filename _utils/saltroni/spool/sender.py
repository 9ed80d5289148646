"""From the spool to the master. Whatever isn't acknowledged stays and is sent again."""

import time

from saltroni.spool import files, parcel

#: Who sends all that waits does so for this long at most (seconds); the rest is for the next one.
ROUND_S = 120


class NotDelivered(RuntimeError):
    """The master didn't take the events; they wait. The text says why."""


def send(deliver, folder=files.FOLDER, clock=time.monotonic):
    """Send what waits.

    Args:
        deliver: takes a parcel to the master and gives the master's answer, ``{recorded: [ids], refused: {id: why}}``.

    Returns:
        ``{sent, refused, waiting}``; None if somebody else is sending.

    Raises:
        NotDelivered
    """
    done = {"sent": 0, "refused": {}, "waiting": 0}
    if not files.waiting(folder):
        return done
    end = clock() + ROUND_S
    with files.only_sender(folder) as mine:
        if not mine:
            return None
        while clock() < end:
            batch = files.batch(folder)
            if not batch.events:
                break
            settled = _settle(batch, _answer(deliver(parcel.pack(batch.events))), folder, done)
            if not settled:
                raise NotDelivered("the master acknowledged none of the events that it was sent")
    done["waiting"] = len(files.waiting(folder))
    return done


def _answer(said):
    if not isinstance(said, dict) or not isinstance(said.get("recorded"), list):
        what = f": {str(said)[:300]}" if said else ""
        raise NotDelivered(
            f"the master doesn't take events from this node{what}. See that salt-call state.apply was run on the "
            "master, that salt-master was restarted afterwards, and what /var/log/salt/master says"
        )
    return said


def _settle(batch, answer, folder, done):
    recorded = [path for identity, path in batch.files.items() if identity in set(answer["recorded"])]
    refused = answer.get("refused") if isinstance(answer.get("refused"), dict) else {}
    files.acknowledge(recorded)
    for identity, why in refused.items():
        if identity in batch.files:
            files.refuse(batch.files[identity], folder)
            done["refused"][identity] = str(why)[:200]
    done["sent"] += len(recorded)
    return len(recorded) + len(refused)
