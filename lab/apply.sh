#!/usr/bin/env bash
# apply.sh [NODE...]: applies the state, on all nodes at once or on some. The full output is in .lab/log/.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$LOG"
[ $# != 0 ] || mapfile -t all < <(nodes names)
[ $# = 0 ] || all=("$@")
master=$(nodes master)
log=$LOG/apply-$(date +%Y%m%d-%H%M%S)

code=0
"$ROOT/lab/run" "$master" salt --out=json --list "$(IFS=, && echo "${all[*]}")" state.apply 2>"$log.err" |
    tee "$log.json" |
    "$ROOT/lab/run" "$master" /opt/salt/bin/python /srv/saltroni/lab/summary.py "${all[@]}" || code=$?
grep -v '^ERROR: Minions returned with non-zero exit code' "$log.err" || true
[ $code = 0 ] || say "all that Salt said: $log.json"
exit $code
