#!/usr/bin/env bash
# A failover test, asked for on a member that isn't the first.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$LOG"
# shellcheck disable=SC2119
node=$(nodes | awk '$4 ~ /patroni/ {seen++; last = $1} seen == 2 {exit} END {print last}')
"$ROOT/lab/run" "$node" salt-call patroni.failover_test | tee "$LOG/failover.log"
