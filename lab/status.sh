#!/usr/bin/env bash
# Nodes, addresses, whether they run, whether their minion answers, and the memory that their programs use
# (without the kernel's file cache).
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

memory_mb() { # of a node, MiB
    # shellcheck disable=SC2016  # awk's
    "$ROOT/lab/run" "$1" awk '
        FILENAME ~ /meminfo/ && $1 ~ /^(AnonPages|Shmem):/ { seen += $2 }
        END { printf "%d", seen / 1024 }' /proc/meminfo 2>/dev/null || echo 0
}
cgroup_mb() { # the same for a container: /proc/meminfo there is the host's
    as_root lxc-cgroup -n "$(container "$1")" memory.stat 2>/dev/null |
        awk '$1 ~ /^(total_rss|total_shmem|anon|shmem)$/ { seen[$1] = $2 }
            END { print int((("total_rss" in seen) ? seen["total_rss"] + seen["total_shmem"] : seen["anon"] + seen["shmem"]) / 1048576) }'
}
if [ "$PROVIDER" = lxc ]; then memory_mb() { cgroup_mb "$1"; }; fi

if [ "$PROVIDER" = lxc ]; then
    up=$(for node in $(nodes names); do ! running "$node" || echo "$node"; done)
else
    up=$(vagrant status --machine-readable | awk -F, '$3 == "state" && $4 == "running" {print $2}')
fi
answers=
if grep -qx "$(nodes master)" <<<"$up"; then
    answers=$("$ROOT/lab/run" "$(nodes master)" salt -t 5 --out=txt --list "$(paste -sd, <<<"$up")" test.ping 2>/dev/null || true)
fi

total=0
printf '%-10s %-15s %-10s %-8s %-10s %8s\n' NODE ADDRESS ROLES STATE MINION MEMORY
while read -r node address limit roles; do
    state=down minion=- memory=0
    if grep -qx "$node" <<<"$up"; then
        state=up minion=silent memory=$(memory_mb "$node")
        ! grep -qx "$node: True" <<<"$answers" || minion=connected
    fi
    total=$((total + memory))
    printf '%-10s %-15s %-10s %-8s %-10s %4s/%s MiB\n' "$node" "$address" "$roles" $state $minion "$memory" "$limit"
done < <(nodes)
echo "memory in use by all nodes: $total MiB"
