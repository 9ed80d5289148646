"""Every packet that the node sends comes late, as over a long or crowded line.

Source: tc-netem(8).
"""

import shutil
import time

from saltroni.faults import FaultError, healer

SUMMARY = "what the node sends comes 100 ms late, give or take 20"
NAME = "network_delayed"
ROLE = None
NEEDS = "the kernel's module sch_netem"
LASTS_S = 30.0
DELAY = ("delay", "100ms", "20ms")
#: What a kernel chooses by itself, and puts back.
USUAL = ("noqueue", "pfifo_fast", "fq_codel", "fq", "mq")


def interface(addresses, wanted):
    """The interface that has the address ``wanted`` in ``ip -oneline address``'s output, or None."""
    for line in addresses.splitlines():
        words = line.split()
        if len(words) > 3 and words[2] == "inet" and words[3].split("/")[0] == wanted:
            return words[1]
    return None


def discipline(shown):
    """The root's queueing discipline in the output of ``tc qdisc show dev ...``, or None."""
    for line in shown.splitlines():
        words = line.split()
        if len(words) > 3 and words[0] == "qdisc" and "root" in words[3:5]:
            return words[1]
    return None


def _interface(target):
    node = target.model["nodes"][target.model["self"]["name"]]
    found = interface(healer.run("ip", "-oneline", "address"), node["address"])
    if found is None:
        raise FaultError(f"no interface of this node has its address {node['address']}")
    return found


def _discipline(target):
    return discipline(healer.run("tc", "qdisc", "show", "dev", _interface(target)))


def _undo(target):
    return ["tc", "qdisc", "del", "dev", _interface(target), "root"]


def inject(target, deadline_s):
    """Delay what is sent; a timer of systemd ends it after ``deadline_s`` seconds."""
    if active(target):
        raise FaultError(f"it lasts already: fault.heal {NAME}")
    heals_by = healer.arm(NAME, deadline_s, *_undo(target))
    healer.run("tc", "qdisc", "replace", "dev", _interface(target), "root", "netem", *DELAY)
    return {"at_unix": time.time(), "heals_by": heals_by}


def heal(target):
    """Send at once again."""
    if active(target):
        healer.run(*_undo(target))
    healer.disarm(NAME)
    return {"running": not active(target)}


def active(target):
    """Whether packets are delayed."""
    return shutil.which("tc") is not None and _discipline(target) == "netem"


def unable(target):
    """Tried in a network namespace of its own, which nothing but this try knows."""
    if shutil.which("tc") is None:
        return "it has no tc (Debian's package iproute2)"
    tried = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", *DELAY]
    try:
        healer.run(*tried)
        present = _discipline(target)
    except FaultError as err:
        return f"its kernel can't delay packets (module sch_netem): {err}"
    if present not in (*USUAL, "netem"):
        return f"its network has a queueing discipline of somebody's choice ({present}), which would be lost"
    return None


def cost(promise):
    """Commits are slower, none is held up."""
    return promise.nothing()
