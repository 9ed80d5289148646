#!/usr/bin/env bash
# sync.sh [NODE...]: brings the state tree to the master: what `vagrant rsync` does, in a tenth of a second. A master that has loaded Python
# code which isn't the same any more is restarted: it would check a new pillar by the old rules. Its own minion's copy
# comes first in the import path, also of salt-master. Then the minions of these nodes, or of all, are waited for.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

master=$(nodes master)
was=$("$ROOT/lab/run" "$master" sh -c 'ls -d /srv/saltroni/_utils 2>/dev/null || true')
changed=$(rsync --archive --delete --chown=root:root --exclude-from="$ROOT/lab/rsync-exclude" --out-format=%n \
    --rsh="$ROOT/lab/run" "$ROOT/" "$master:/srv/saltroni/")
"$ROOT/lab/beside.sh" "$LAB/beside"
beside=$(rsync --archive --delete --chown=root:root --out-format=%n --rsh="$ROOT/lab/run" "$LAB/beside/" "$master:/srv/saltroni-lab/")
# a new file is seen at once: the list of files is good for 20 s, and nodes ask for it nineteen times a state run
# (not its folder: the master may write a new one into it in that moment)
[ -z "$changed$beside" ] || "$ROOT/lab/run" "$master" sh -c 'rm -f /var/cache/salt/master/file_lists/*/*.p'
if [ -n "$was" ] && grep -qE '^(deleting )?_(utils|pillar|runners)/.*\.py$' <<<"$changed"; then
    say "the master's code has changed: salt-master is restarted"
    "$ROOT/lab/run" "$master" salt-call saltutil.sync_all >/dev/null
    "$ROOT/lab/run" "$master" systemctl restart salt-master
    "$ROOT/lab/minions.sh" "$@"
fi
