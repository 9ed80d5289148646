"""The node reboots at once, as after a power cut of a second or a kernel panic: nothing is stopped in order."""

from saltroni.faults import healer, nft, power

SUMMARY = "the node reboots at once, without stopping anything"
NAME = "node_rebooted"
ROLE = None
TAKES_NODE = True
NEEDS = nft.NEEDS

unable = nft.Cut(__name__, lambda model: nft.EVERYTHING).unable


def inject(target, deadline_s):
    """Reboot a moment from now. Nothing lasts: the machine boots by itself."""
    del target, deadline_s
    return {"at_unix": power.off_soon(NAME), "heals_by": "the machine boots"}


def heal(target):
    """Call it off if it hasn't begun yet."""
    del target
    healer.call_off(NAME)
    return {"running": True}


def cost(promise):
    """A machine that takes longer to boot than the lease lasts is as one that is lost; a quicker one costs less."""
    return promise.lease_end()
