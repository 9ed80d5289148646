"""The memory that the pillar gives each node was enough for all that the other files did."""

import re

#: Control groups of either version: the older one counts a kill where the process was only.
COUNTERS = (
    "find /sys/fs/cgroup \\( -name memory.events -o -name memory.oom_control \\) -exec cat {} + 2>/dev/null; true"
)


def test_no_node_ran_out_of_memory(lab):
    killed = {}
    for node in lab.model["nodes"]:
        counted = re.findall(r"^oom_kill (\d+)$", lab.run(node, "sh", "-c", COUNTERS).stdout, re.MULTILINE)
        assert counted, f"{node}: its kernel doesn't count what it killed for want of memory"
        killed[node] = max(int(count) for count in counted)
    assert not any(killed.values()), killed
