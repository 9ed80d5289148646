# shellcheck shell=bash
# What the lab's scripts share: names, paths, and how they speak, wait and become root.
set -Eeuo pipefail
trap 'echo "lab: $0, line $LINENO: \"$BASH_COMMAND\" failed" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LAB=$ROOT/.lab
LOG=$LAB/log
CACHE=${SALTRONI_CACHE:-${HOME:-/root}/.cache/saltroni}
PROVIDER=${SALTRONI_PROVIDER:-${VAGRANT_DEFAULT_PROVIDER:-lxc}}
export ROOT LAB LOG CACHE PROVIDER

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

nodes() { ruby --disable-gems "$ROOT/lab/nodes.rb" "$@"; } # without gems: half the time, and scripts ask often

# Which of this machine's labs this is: NUMBER, LAB_ID, BRIDGE, NETWORK, GATEWAY and PREFIX (of containers' names) follow
# from the pillar. Ruby comes with Vagrant: before host.sh ran, there is none, and no lab.
# A checkout has one lab at a time: Vagrant knows machines by their nodes' names only, and a script that runs while the
# pillar is edited would go on with another lab's nodes.
if command -v ruby >/dev/null; then
    network=$(nodes network)
    eval "$network"
    export NUMBER LAB_ID BRIDGE NETWORK GATEWAY PREFIX
    made=$(cat "$LAB/number" 2>/dev/null || echo "$NUMBER")
    [ "$made" = "$NUMBER" ] || die "this checkout's lab is in 192.168.$((56 + made)).0/24, but the pillar says $NETWORK:" \
        "give the pillar its old addresses and make destroy, or make the other lab from another checkout"
fi

# only_one "$0" "$@": one script at a time changes this lab; a second one says so and ends.
# What outlives the script (containers) doesn't inherit the lock: --close.
only_one() {
    [ -z "${SALTRONI_LOCKED:-}" ] || return 0
    local lock=/run/lock/$LAB_ID.lock code=0
    [ -e "$lock" ] || (umask 0 && : >>"$lock")
    SALTRONI_LOCKED=1 flock --nonblock --close --conflict-exit-code 75 "$lock" "$@" || code=$?
    [ $code != 75 ] || die "another script is changing this lab ($lock)"
    exit $code
}

# in_turn "$0" "$@": what labs of this machine share (packages, boxes, IP forwarding) is changed by one script at a time;
# a second one waits.
in_turn() {
    [ -z "${SALTRONI_TURN:-}" ] || return 0
    local lock=/run/lock/saltroni-shared.lock code=0
    [ -e $lock ] || (umask 0 && : >>$lock)
    flock --nonblock $lock true || say "another lab changes what all labs of this machine share: waiting for it"
    SALTRONI_TURN=1 flock --timeout 900 --close --conflict-exit-code 75 $lock "$@" || code=$?
    [ $code != 75 ] || die "waited 900 s for another lab's script that holds $lock"
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

container() { echo "$PREFIX$1"; }

# defined, running: what LXC knows of a node's container.
defined() { as_root test -e "/var/lib/lxc/$(container "$1")"; }
running() { [ "$(as_root lxc-info -n "$(container "$1")" -sH 2>/dev/null)" = RUNNING ]; }
