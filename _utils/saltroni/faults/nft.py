"""Cuts made with nftables: a table of the fault's own that drops packets; the node's other rules are left alone.

A drop is final whatever other tables accept, so the table needs no knowledge of them. Packets that are dropped get no
answer, as from a machine without power. Rules don't survive a reboot.

Source: nft(8), "Chains" and "Verdict statements".
"""

import shutil
import time

from saltroni.faults import FaultError, healer

NEEDS = "nftables"
#: Whatever comes in or goes out, but on the loopback.
EVERYTHING = (['iifname != "lo" drop'], ['oifname != "lo" drop'])


def table(fault):
    """Name of the fault's table."""
    return f"saltroni_{fault}"


def towards(addresses, port):
    """What this node sends to ``port`` of others, and their answers: ``([rules of input], [rules of output])``."""
    them = _set(addresses)
    return [f"ip saddr {them} tcp sport {int(port)} drop"], [f"ip daddr {them} tcp dport {int(port)} drop"]


def own(addresses, port):
    """What others send to ``port`` of this node, and its answers: ``([rules of input], [rules of output])``."""
    them = _set(addresses)
    return [f"ip saddr {them} tcp dport {int(port)} drop"], [f"ip daddr {them} tcp sport {int(port)} drop"]


def both(first, second):
    """Two cuts in one."""
    return first[0] + second[0], first[1] + second[1]


def others(model, *roles):
    """Addresses of the other nodes that have one of ``roles``."""
    names = {name for role in roles for name in model["by_role"][role]} - {model["self"]["name"]}
    return [model["nodes"][name]["address"] for name in sorted(names)]


def _set(addresses):
    if not addresses:
        raise FaultError("there is nobody to be cut off from")
    return "{ " + ", ".join(addresses) + " }"


def ruleset(fault, cut):
    """What nft is told: ``cut`` is ``([rules of input], [rules of output])``."""
    chains = [
        f"chain {hook} {{ type filter hook {hook} priority -300; policy accept; {'; '.join(rules)}; }};"
        for hook, rules in zip(("input", "output"), cut, strict=True)
    ]
    return f"table inet {table(fault)} {{ {' '.join(chains)} }}"


def cutting(fault):
    """Whether the fault's table is there."""
    if shutil.which("nft") is None:
        return False
    return bool(healer.run("nft", "list", "table", "inet", table(fault), check=False).strip())


def undo(fault):
    """The command that takes the fault's table away; it fails, and does no harm, where there is none."""
    return ["nft", "delete", "table", "inet", table(fault)]


class Cut:
    """A fault's ``inject``, ``heal``, ``active`` and ``unable``.

    Args:
        module: the ``__name__`` of the fault's file.
        cut: what is dropped, from the pillar's ``saltroni``: see :func:`ruleset`.
        later: whether it would cut the answer off, so that it must strike a moment later.
    """

    def __init__(self, module, cut, later=False):
        self.name = module.rpartition(".")[2]
        self._cut = cut
        self._delay_s = healer.ANSWER_S if later else 0.0

    def inject(self, target, deadline_s):
        """Cut, with a timer of systemd that ends it ``deadline_s`` seconds later.

        Raises:
            FaultError: it lasts already, or nft refuses; nothing is cut then.
        """
        if cutting(self.name):
            raise FaultError(f"it lasts already: fault.heal {self.name}")
        rules = ruleset(self.name, self._cut(target.model))
        healer.run("nft", "--check", rules)
        heals_by = healer.arm(self.name, deadline_s + self._delay_s, *undo(self.name))
        if self._delay_s:
            return {"at_unix": healer.strike_soon(self.name, "nft", rules, delay_s=self._delay_s), "heals_by": heals_by}
        healer.run("nft", rules)
        return {"at_unix": time.time(), "heals_by": heals_by}

    def heal(self, target):
        """Let packets through; also when the cut hasn't begun yet."""
        del target
        healer.call_off(self.name)
        if cutting(self.name):
            healer.run(*undo(self.name))
        healer.disarm(self.name)
        return {"running": not cutting(self.name)}

    def active(self, target):
        """Whether packets are dropped."""
        del target
        return cutting(self.name)

    def unable(self, target):
        """Why this machine can't, or None."""
        del target
        if shutil.which("nft") is None:
            return "it has no nft (Debian's package nftables): state.apply installs it where drills are allowed"
        return None
