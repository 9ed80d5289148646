#!/usr/bin/env bash
# Has the master write the report, in both languages, and brings it here with its pictures.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$LOG"
master=$(nodes master)
# what nodes still have in their spools belongs into it
"$ROOT/lab/run" "$master" salt -t 30 --out=json '*' spool.send >"$LOG/spools.log" 2>&1 || true
for language in en ru; do
    "$ROOT/lab/run" "$master" salt-run --out=json report.write language="$language" >"$LOG/report.log" 2>&1 ||
        die "salt-run report.write fails: $LOG/report.log"
done
new=$(mktemp -d "$LAB/report.XXXXXX")
trap 'rm -rf "$new"' EXIT
"$ROOT/lab/run" "$master" sh -c "cd '/var/lib/saltroni/$(nodes cluster)' && mkdir -p pictures && tar -cf - REPORT.* pictures" |
    tar -xf - -C "$new" --no-same-owner
rm -rf "$LAB/pictures"
mv -f "$new"/REPORT.* "$LAB/"
mv "$new/pictures" "$LAB/"
say "report: $LAB/REPORT.md, REPORT.html, REPORT.ru.md, REPORT.ru.html"
