#!/usr/bin/env bash
# A failover test, asked for on a member that isn't the first. All its figures are in .lab/log/failover.json.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# All nodes share this machine's processors, and have just been applied: what is measured now must be the cluster's.
# Source: the kernel's documentation, PSI, "some avg10": in how much of the last 10 s somebody waited for a processor, %.
calm() { awk -F'[= ]' '$1 == "some" {exit $3 >= 30}' /proc/pressure/cpu; }
if [ -r /proc/pressure/cpu ] && ! calm; then
    say "this machine is busy: waiting up to 120 s for it"
    (wait_for 120 "somebody else's work to end" calm) || say "outages measured now may be too long"
fi

mkdir -p "$LOG"
# shellcheck disable=SC2119
node=$(nodes | awk '$4 ~ /patroni/ {seen++; last = $1} seen == 2 {exit} END {print last}')
log=$LOG/failover.json
code=0
"$ROOT/lab/run" "$node" salt-call --out=json --retcode-passthrough patroni.failover_test >"$log" 2>"$log.err" || code=$?
[ -s "$log" ] || cp "$log.err" "$log"
"$ROOT/lab/run" "$node" /opt/salt/bin/python3 -c "$(cat "$ROOT/lab/drill_summary.py")" <"$log"
say "all figures: $log"
exit $code
