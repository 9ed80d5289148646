"""A machine that loses power, and one that stays without it for a while.

No machine can start itself, so a lost one is one that is rebooted and then held: a unit that systemd starts before
anything else of the boot drops the network's packets and lets nobody else start, until a moment that was written down
before the power went, or for that many seconds, whatever the clock says. Then it removes itself. If it is interrupted,
the next boot goes on where it stopped; after that moment it only removes itself.

The network is cut before the reboot: a kernel that closes a dead container's connections would tell the peers.

Source: bootup(7); systemd.special(7), ``network-pre.target`` and ``sysinit.target``; systemctl(1), ``reboot --force``.
"""

import os
import shlex
from pathlib import Path

from saltroni import durable
from saltroni.faults import healer, nft

UNIT = "etc/systemd/system/saltroni-hold.service"
WANTED = "etc/systemd/system/sysinit.target.wants/saltroni-hold.service"
SCRIPT = "etc/saltroni/hold"
NAME = "node_lost"

_UNIT = f"""# Made by a drill, which takes it away again.
[Unit]
Description=This node is lost until a drill's deadline
DefaultDependencies=no
After=systemd-remount-fs.service
Before=network-pre.target sysinit.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /{SCRIPT}
"""

_SCRIPT = """#!/bin/sh
# Made by a drill: this node is lost until {until}, for at most {longest_s} seconds, and then as if nothing had been.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
{nft} {rules}
left={longest_s}
while [ -e "$0" ] && [ "$left" -gt 0 ] && [ "$(date +%s)" -lt {until} ]; do
    sleep 1
    left=$((left - 1))
done
rm -f {files}
{nft} delete table inet {table}
"""


def script(until_unix, longest_s, root="/", nft_program="nft"):
    """The script that holds a node; tests have another ``root``, and a program that cuts nothing."""
    return _SCRIPT.format(
        nft=nft_program,
        rules=shlex.quote(nft.ruleset(NAME, nft.EVERYTHING)),
        until=int(until_unix),
        longest_s=int(longest_s),
        files=" ".join(shlex.quote(str(path)) for path in files(root)),
        table=nft.table(NAME),
    )


def files(root="/"):
    """What a hold consists of; the script last, by which it is known."""
    return [Path(root, name) for name in (WANTED, UNIT, SCRIPT)]


def held(root="/"):
    """Whether the node is to be held at a boot, or is being held."""
    return Path(root, SCRIPT).exists()


def hold(until_unix, longest_s, root="/"):
    """Have the next boot held. It is on the disk when this returns, as the power goes next."""
    wanted, unit, text = files(root)
    _write(text, script(until_unix, longest_s, root))
    _write(unit, _UNIT)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to(f"../{unit.name}")
    durable.sync(wanted.parent)


def let_go(root="/"):
    """Hold no boot, and end one that is held."""
    for path in files(root):
        path.unlink(missing_ok=True)


def off_soon(fault):
    """Cut the network and reboot without a word to anybody, a moment from now; returns when (this node's clock)."""
    rules = shlex.quote(nft.ruleset(NAME, nft.EVERYTHING))
    return healer.strike_soon(fault, "/bin/sh", "-c", f"nft {rules}; exec systemctl reboot --force --force")


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    durable.sync(path.parent)
