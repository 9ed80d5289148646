#!/usr/bin/env bash
# machines.sh [NODE...]: every node that the pillar names exists and runs; those named, or all, are bootstrapped with
# what keys.sh made for them.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

log=$LOG/vagrant.log
mkdir -p "$LOG"
mapfile -t all < <(nodes names)
[ $# = 0 ] || wanted=("$@")
[ $# != 0 ] || wanted=("${all[@]}")

# A container counts as ours if this checkout made it and its Vagrant knows it. What another checkout left, or an
# interrupted run whose Vagrant never learnt of it, is replaced.
ours() {
    [ "$(cat "$ROOT/.vagrant/machines/$1/lxc/id" 2>/dev/null)" = "$(container "$1")" ] &&
        as_root grep -qxF "lxc.environment=SALTRONI_CHECKOUT=$ROOT" "/var/lib/lxc/$(container "$1")/config"
}

remove_foreign() {
    local node name
    for node in "${all[@]}"; do
        if ! defined "$node" || ours "$node"; then continue; fi
        name=$(container "$node")
        say "$name isn't of this checkout (or is half-made): it is replaced"
        as_root lxc-stop -k -n "$name" 2>/dev/null || true
        as_root lxc-destroy -n "$name" >/dev/null 2>&1 || true
        as_root rm -rf --one-file-system "/var/lib/lxc/$name"
        rm -rf "$ROOT/.vagrant/machines/$node/lxc"
    done
}

# ... when bootstrap.sh ran to its end with what is now in the node's tar
ready() {
    local wanted
    wanted=$(cat "$LAB/nodes/$1.tar" "$ROOT/lab/bootstrap.sh" | sha256sum)
    [ "$("$ROOT/lab/run" "$1" cat /var/lib/saltroni-lab/bootstrapped 2>/dev/null)" = "$wanted" ]
}

# Vagrant's many words go to the log, what a person waits for to the screen. Its provisioners are left out: one SSH
# session after the other takes a minute, bootstrap() does the same for all nodes at once.
vagrant_up() {
    echo "# vagrant up $*" >>"$log"
    vagrant up --no-provision "$@" 2>&1 | tee -a "$log" |
        sed -un 's/^==> \([^:]*\): \(Importing base box\|Starting container\|Booting VM\|Machine booted\).*/   \1: \2/p' ||
        die "vagrant up fails: $log"
}

bootstrap() { # what the Vagrantfile's provisioners do
    local log=$LOG/bootstrap-$1.log
    # shellcheck disable=SC2016
    tar -C "$LAB/nodes" -c "$1.tar" -C "$ROOT/lab" bootstrap.sh | "$ROOT/lab/run" "$1" bash -ec '
        umask 077
        folder=$(mktemp -d)
        tar -C "$folder" -x
        mv "$folder/$0.tar" /tmp/saltroni-node.tar
        bash "$folder/bootstrap.sh"
        rm -r "$folder"' "$1" >"$log" 2>&1 || die "$1 isn't bootstrapped: $log"
    ready "$1" || die "$1's bootstrap isn't finished: $log"
    say "$1: bootstrapped"
}

: >"$log"
if [ "$PROVIDER" = lxc ]; then remove_foreign; fi

down=()
for node in "${all[@]}"; do
    if [ "$PROVIDER" != lxc ] || ! defined "$node" || ! running "$node"; then down+=("$node"); fi
done
if [ ${#down[@]} != 0 ]; then vagrant_up "${down[@]}"; fi

jobs=()
for node in "${wanted[@]}"; do
    if ! ready "$node"; then
        bootstrap "$node" &
        jobs+=($!)
    fi
done
code=0
for job in "${jobs[@]}"; do wait "$job" || code=1; done
[ $code = 0 ] || exit $code
say "${#all[@]} nodes run, bootstrapped: ${wanted[*]}"
