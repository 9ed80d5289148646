#!/usr/bin/env bash
# Has the master write the report and brings it here.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$LOG"
master=$(nodes master)
"$ROOT/lab/run" "$master" salt-run --out=json report.write >"$LOG/report.log" 2>&1 || die "salt-run report.write fails: $LOG/report.log"
"$ROOT/lab/run" "$master" cat "/var/lib/saltroni/$(nodes cluster)/REPORT.md" >"$LAB/REPORT.md.new"
mv "$LAB/REPORT.md.new" "$LAB/REPORT.md"
say "report: $LAB/REPORT.md"
