"""The node loses power and stays without it for a while: nobody answers, nobody refuses."""

import time

from saltroni.faults import FaultError, healer, lease, nft, power

SUMMARY = "the node loses power, and boots only after a while"
NAME = power.NAME
ROLE = None
TAKES_NODE = True
NEEDS = f"systemd at boot, {nft.NEEDS}"

_CUT = nft.Cut(__name__, lambda model: nft.EVERYTHING)
unable = _CUT.unable
lasts_s, visible_after_s = lease.outlasts_s, lease.over_s


def inject(target, deadline_s):
    """Write down until when the node is to stay lost, then reboot it at once, a moment from now."""
    del target
    if power.held():
        raise FaultError(f"it lasts already: fault.heal {NAME}")
    until = time.time() + healer.ANSWER_S + deadline_s
    # if the reboot fails, nothing is left either
    healer.arm(NAME, deadline_s + healer.ANSWER_S, "rm", "-f", *map(str, power.files()))
    power.hold(until, deadline_s)
    return {"at_unix": power.off_soon(NAME), "heals_by": f"{power.files()[1].name} at boot, after {deadline_s:g} s"}


def heal(target):
    """Call it off, or end it on the node's own console."""
    healer.call_off(NAME)
    power.let_go()
    return _CUT.heal(target)


def active(target):
    """Whether the node is to be held, or is being held."""
    del target
    return power.held()


def cost(promise):
    """Nobody gives the lease back."""
    return promise.lease_end()
