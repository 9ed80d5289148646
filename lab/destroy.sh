#!/usr/bin/env bash
# Takes the lab away, whoever made it and whatever Vagrant knows of it: containers, network, state. Caches stay, and so do
# this machine's other labs.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
if ! command -v ruby >/dev/null; then
    say "no lab is here: Vagrant and its Ruby, which it takes, aren't installed"
    exit
fi
only_one "$0" "$@"

if [ "$PROVIDER" != lxc ]; then vagrant destroy --force; fi

if command -v lxc-ls >/dev/null; then
    for name in $(as_root lxc-ls -1 | grep "^$PREFIX" || true); do
        as_root lxc-stop -k -n "$name" 2>/dev/null || true
        as_root lxc-destroy -n "$name" >/dev/null
        say "$name is gone"
    done
    # a creation that was cut off leaves a folder that LXC doesn't count as a container
    as_root find /var/lib/lxc -mindepth 1 -maxdepth 1 -name "$PREFIX*" -exec rm -rf --one-file-system {} +
fi
"$ROOT/lab/bridge.sh" down
rm -rf "$ROOT/.vagrant" "$LAB"
say "nothing of the lab remains but $CACHE and Vagrant's boxes"
