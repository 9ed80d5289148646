# shellcheck shell=bash
# What the lab's scripts share: names, paths, and how they speak, wait and become root.
set -Eeuo pipefail
trap 'echo "lab: $0, line $LINENO: \"$BASH_COMMAND\" failed" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LAB=$ROOT/.lab
LOG=$LAB/log
CACHE=${SALTRONI_CACHE:-${HOME:-/root}/.cache/saltroni}
PROVIDER=${SALTRONI_PROVIDER:-${VAGRANT_DEFAULT_PROVIDER:-lxc}}
BRIDGE="saltroni0"
NETWORK=192.168.56.0/24
GATEWAY=192.168.56.1
PREFIX=saltroni- # of containers' names
export ROOT LAB LOG CACHE PROVIDER BRIDGE NETWORK GATEWAY PREFIX

export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export VAGRANT_CWD=$ROOT VAGRANT_DEFAULT_PROVIDER=$PROVIDER VAGRANT_CHECKPOINT_DISABLE=1
export DEBIAN_FRONTEND=noninteractive

say() { printf '   %s\n' "$*"; }
die() {
    printf 'lab: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$EUID" = 0 ]; then "$@"; else sudo "$@"; fi
}

# only_one "$0" "$@": one script at a time changes the lab of this machine; a second one says so and ends.
# What outlives the script (containers) doesn't inherit the lock: --close.
only_one() {
    [ -z "${SALTRONI_LOCKED:-}" ] || return 0
    local lock=/run/lock/saltroni.lock code=0
    [ -e $lock ] || (umask 0 && : >>$lock)
    SALTRONI_LOCKED=1 flock --nonblock --close --conflict-exit-code 75 $lock "$@" || code=$?
    [ $code != 75 ] || die "another script is changing the lab of this machine ($lock)"
    exit $code
}

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds, or ends the script telling WHAT didn't come.
wait_for() {
    local deadline=$((SECONDS + $1)) seconds=$1 what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || die "waited $seconds s for $what"
        sleep 0.5 # between two looks
    done
}

nodes() { ruby "$ROOT/lab/nodes.rb" "$@"; }

container() { echo "$PREFIX$1"; }

# defined, running: what LXC knows of a node's container.
defined() { as_root test -e "/var/lib/lxc/$(container "$1")"; }
running() { [ "$(as_root lxc-info -n "$(container "$1")" -sH 2>/dev/null)" = RUNNING ]; }
