#!/usr/bin/env bash
# beside.sh FOLDER: what this lab's master serves beside the tree: WAL-G, if somebody gives it (WALG=/path/to/wal-g make lab),
# and what follows for the pillar. Debian has no WAL-G: without it, the lab makes its backups with pgBackRest. WAL-G once
# given stays, also for later calls without WALG; WALG= (empty) takes it away.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

out=${1:?usage: beside.sh FOLDER}
walg=$out/files/wal-g
mkdir -p "$out/files"

if [ -n "${WALG:-}" ]; then
    [ -f "$WALG" ] || die "WALG=$WALG is no file: give the program wal-g, as its project releases it for this processor"
    if ! cmp -s "$WALG" "$walg"; then
        install -m 755 "$WALG" "$walg.new"
        if ! "$walg.new" --version >/dev/null 2>&1; then
            rm "$walg.new"
            die "WALG=$WALG can't be run here: is it for another processor, or a package?"
        fi
        mv "$walg.new" "$walg"
    fi
elif [ -n "${WALG+empty}" ]; then
    rm -f "$walg"
fi

pillar='{}'
if [ "$(nodes backup)" = walg ]; then
    if [ -e "$walg" ]; then
        say "backups by $("$walg" --version 2>/dev/null | head -n 1)"
        pillar="{tool: walg, walg: {source: 'salt://wal-g', sha256: '$(sha256sum "$walg" | cut -d ' ' -f 1)'}}"
    else
        say "no WAL-G is given (WALG=/path/to/wal-g make lab): backups by pgBackRest"
        pillar='{tool: pgbackrest}'
    fi
    pillar="{saltroni: {backup: $pillar}}"
fi
printf '# Written by lab/beside.sh; merged into the pillar.\n%s\n' "$pillar" >"$out/pillar.yml.new"
cmp -s "$out/pillar.yml.new" "$out/pillar.yml" || mv "$out/pillar.yml.new" "$out/pillar.yml"
rm -f "$out/pillar.yml.new"
