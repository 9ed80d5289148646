#!/usr/bin/env bash
# up.sh [nodes]: the lab from nothing, or from wherever an earlier run was interrupted, to a cluster that has
# survived a failover; with "nodes" only machines with connected minions.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
command -v ruby >/dev/null || { "$(dirname "$0")/host.sh" && exec "$0" "$@"; } # without it nothing tells which lab this is
only_one "$0" "$@"

here=$ROOT/lab
started=$SECONDS
if [ "${1:-}" = nodes ]; then
    steps=(host_packages network box keys machines minions)
else
    # the master first: it is restarted by its state, and minions that are there already would have to come back
    steps=(host_packages network box keys machines master minions cluster failover report)
fi

declare -A title=(
    [host_packages]="Packages of this machine" [network]="Network" [box]="Box" [keys]="Keys" [machines]="Nodes"
    [minions]="Minions" [master]="The master's state" [cluster]="The cluster's state" [failover]="Failover test"
    [report]="Report"
)
# What to look at when a step fails
declare -A look=(
    [host_packages]="$LOG/host.log" [network]="ip addr; ip route; docs/lab.md" [box]="$LOG/box.log" [keys]="ls -l .lab/keys"
    [machines]="$LOG/vagrant.log" [minions]="make status; lab/run NODE journalctl -u salt-minion"
    [master]="$LOG/, lab/run $(ruby "$here/nodes.rb" master 2>/dev/null || echo salt) journalctl -u salt-master"
    [cluster]="$LOG/apply-*.json; make apply tries again" [failover]="$LOG/failover.json" [report]="$LOG/report.log"
)

host_packages() { "$here/host.sh"; }
network() { [ "$PROVIDER" != lxc ] || "$here/bridge.sh" up; }
box() { [ "$PROVIDER" != lxc ] || "$here/box.sh"; }
keys() { "$here/keys.sh"; }
machines() { "$here/machines.sh" "$(nodes master)"; }
minions() {
    "$here/machines.sh"
    "$here/minions.sh"
}

restart_master() { # ... if its state wrote a configuration that it hasn't read
    # shellcheck disable=SC2016  # the node's shell expands these
    "$here/run" "$1" bash -c '
        made=$(stat -c %Y /etc/salt/master.d/saltroni-generated.conf 2>/dev/null || echo 0)
        since=$(date -d "$(systemctl show -P ActiveEnterTimestamp salt-master)" +%s)
        [ "$made" -lt "$since" ] || systemctl restart salt-master'
    "$here/minions.sh" "$1"
}

master() {
    local node
    node=$(nodes master)
    "$here/minions.sh" "$node"
    "$here/sync.sh" "$node"
    restart_master "$node" # an earlier run may have been cut off before it did
    "$here/apply.sh" "$node"
    restart_master "$node"
}

cluster() {
    "$here/apply.sh"
    "$here/run" "$(nodes | awk '$4 ~ /patroni/ {print $1; exit}')" salt-call patroni.cluster
}

failover() { "$here/drill.sh"; }

report() {
    "$here/report.sh"
    "$here/status.sh"
}

mkdir -p "$LOG"
echo "$NUMBER" >"$LAB/number"
number=0
for step in "${steps[@]}"; do
    number=$((number + 1))
    printf '== %d/%d %s\n' $number ${#steps[@]} "${title[$step]}"
    begun=$SECONDS
    # not "|| code=$?": bash ignores set -e in whatever stands before that
    trap - ERR
    set +e
    (
        set -e
        $step
    )
    code=$?
    set -e
    if [ $code != 0 ]; then
        printf '== %d/%d %s: FAILED after %d s. Look at: %s\n' $number ${#steps[@]} "${title[$step]}" $((SECONDS - begun)) "${look[$step]}"
        exit $code
    fi
    printf '== %d/%d %s … %d s\n' $number ${#steps[@]} "${title[$step]}" $((SECONDS - begun))
done
echo "== done in $((SECONDS - started)) s"
