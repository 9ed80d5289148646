#!/usr/bin/env bash
# node.sh NODE rebuild|kill|start: what can happen to a machine.
#   rebuild  back from an empty disk, with the key that it had
#   kill     power loss
#   start    power is back
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

node=${1:-} verb=${2:-}
nodes names | grep -qx -- "$node" || die "usage: node.sh NODE rebuild|kill|start, NODE one of: $(nodes names | xargs)"

kill_node() {
    if [ "$PROVIDER" = lxc ]; then
        ! running "$node" || as_root lxc-stop -k -n "$(container "$node")"
    else
        vagrant halt --force "$node"
    fi
}

start_node() {
    if [ "$PROVIDER" = lxc ]; then
        running "$node" || as_root lxc-start -d -n "$(container "$node")"
    else
        vagrant up --no-provision "$node"
    fi
}

rebuild() {
    kill_node
    if [ "$PROVIDER" = lxc ]; then
        ! defined "$node" || as_root lxc-destroy -n "$(container "$node")" >/dev/null
    else
        vagrant destroy --force "$node"
    fi
    "$ROOT/lab/keys.sh"
    vagrant up "$node"
}

case $verb in
    kill) kill_node ;;
    start) start_node ;;
    rebuild) rebuild ;;
    *) die "usage: node.sh NODE rebuild|kill|start" ;;
esac
