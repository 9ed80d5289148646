"""The page of presets, from the presets and the faults: ``make docs`` writes it to ``docs/presets.md``."""

import sys

from saltroni import faults
from saltroni.failover import presets
from saltroni.failover.promise import Promise
from saltroni.pillar import model

HEAD = """# Presets

`saltroni:preset` chooses a set of timings; what `saltroni:timings` or `saltroni:haproxy` says besides counts more, and is
held to the same rules ([settings](settings.md)).

- `fast`: nodes in one network, etcd on quick disks. Three seconds without etcd are enough to demote a leader.
- `default`: the same lease, more patience with etcd and with slow health checks.
- `wide`: nodes far apart, or hosts that are often overloaded. A short silence moves nothing.

"""

CLUSTER = {
    "cluster": "demo",
    "nodes": {
        "salt": {"address": "192.0.2.10", "roles": ["master"]},
        **{f"etcd{n}": {"address": f"192.0.2.1{n}", "roles": ["etcd"]} for n in (1, 2, 3)},
        **{f"pg{n}": {"address": f"192.0.2.2{n}", "roles": ["patroni"]} for n in (1, 2, 3)},
        **{f"lb{n}": {"address": f"192.0.2.3{n}", "roles": ["haproxy"]} for n in (1, 2)},
    },
}


def built(preset, replication="quorum"):
    """The model of a cluster of nine nodes with ``preset``."""
    return model.build({**CLUSTER, "preset": preset, "postgresql": {"replication": replication}})


def _table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def page():
    """The whole page."""
    names = list(presets.PRESETS)
    lines = ["| Setting | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for part in ("timings", "haproxy"):
        for setting in presets.PRESETS["default"][part]:
            values = " | ".join(str(presets.PRESETS[name][part][setting]) for name in names)
            lines.append(f"| `{part}:{setting}` | {values} |")
    promises = {name: Promise.of(built(name)) for name in names}
    lines += ["", "## What each fault may cost", ""]
    lines.append(
        "Write outage in seconds, least to most, with `replication: quorum`; a drill over its most is a failed drill. "
        "`lasts`: how long the fault itself does.\n"
    )
    rows = []
    for fault_name, fault in faults.known().items():
        costs = [fault.cost(promises[name]) for name in names]
        cells = [f"{cost.least_s:g} – {cost.most_s:g}" for cost in costs]
        lasts = [f"{fault.lasts_s(built(name)):g}" for name in names]
        lasting = lasts[0] if len(set(lasts)) == 1 else " / ".join(lasts)
        rows.append([f"`{fault_name}`", fault.summary, lasting, *cells])
    lines += _table(["Fault", "What it does", "lasts", *names], rows)
    lines += ["", "By hand: `salt-call patroni.drills` prints the same for the settings in force, term by term.", ""]
    return HEAD + "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
