#!/usr/bin/env bash
# bridge.sh up|down: the lab's own network on this machine.
#
# A blackhole route under the bridge's own makes sure that nothing meant for a node ever leaves this
# machine: not before the bridge is there, not while it is down.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
in_turn "$0" "$@"

STATE=/run/$LAB_ID # what "down" gives back; a reboot takes both away
METRIC=10000         # worse than the bridge's own route

# From nodes to the outside, and answers back. Never to this machine's other bridges: what runs there is
# somebody else's, or another lab. From elsewhere to nodes: nothing.
rules() {
    cat <<RULES
table ip $LAB_ID
delete table ip $LAB_ID
table ip $LAB_ID {
    chain forward {
        type filter hook forward priority -10; policy accept;
        iifname "$BRIDGE" oifname "$BRIDGE" accept
        iifname "$BRIDGE" meta oifkind "bridge" drop
        oifname "$BRIDGE" ct state established,related accept
        oifname "$BRIDGE" drop
    }
    chain outside {
        type nat hook postrouting priority 100; policy accept;
        ip saddr $NETWORK oifname != "$BRIDGE" masquerade
    }
}
RULES
}

elsewhere() { # the interface, if not the bridge, that has an address in the lab's network
    ip -o -4 addr show to "$NETWORK" | awk -v bridge="$BRIDGE" '$2 != bridge {print $2; exit}'
}

# What labs need of this machine's kernel, at least. Each container's systemd takes about seven inotify instances, all of
# them root's: with the usual 128, the machines of a third lab end as soon as they start, without a word.
KERNEL=(net.ipv4.ip_forward=1 fs.inotify.max_user_instances=1024)

kept() { # kept SETTING: what it was before the first lab, which every lab keeps
    local file
    for file in /run/saltroni*/"${1##*.}"; do
        if [ -e "$file" ]; then cat "$file" && return; fi
    done
    sysctl -n "$1"
}

kernel_up() {
    local setting name before
    for setting in "${KERNEL[@]}"; do
        name=${setting%=*}
        before=$(kept "$name")
        echo "$before" | as_root tee "$STATE/${name##*.}" >/dev/null
        [ "$(sysctl -n "$name")" -ge "${setting#*=}" ] || as_root sysctl -qw "$setting"
    done
}

kernel_down() { # the last lab gives back what was before the first
    local setting name before
    for setting in "${KERNEL[@]}"; do
        name=${setting%=*}
        before=$(cat "$STATE/${name##*.}" 2>/dev/null) || continue
        as_root rm "$STATE/${name##*.}"
        compgen -G '/run/saltroni*/ip_forward' >/dev/null || as_root sysctl -qw "$name=$before"
    done
    as_root rm -rf "$STATE"
}

up() {
    local other
    other=$(elsewhere)
    [ -z "$other" ] || die "$other has an address in $NETWORK already, the lab can't use this network too"
    ip route show type blackhole "$NETWORK" | grep -q . || as_root ip route add blackhole "$NETWORK" metric $METRIC
    if [ ! -d "/sys/class/net/$BRIDGE" ]; then as_root ip link add "$BRIDGE" type bridge; fi
    ip -o -4 addr show dev "$BRIDGE" | grep -q " $GATEWAY/24 " || as_root ip addr add "$GATEWAY/24" dev "$BRIDGE"
    as_root ip link set "$BRIDGE" up
    as_root mkdir -p "$STATE"
    kernel_up
    rules | as_root nft -f -
    if as_root nft list chain ip filter FORWARD 2>/dev/null | grep -q 'policy drop'; then
        say "this machine's firewall drops forwarded packets: if nodes can't reach the outside, see docs/lab.md"
    fi
    say "$BRIDGE $GATEWAY/24, NAT to the outside"
}

down() {
    # the blackhole goes last: a packet for a node must not find the default route in between
    as_root nft delete table ip "$LAB_ID" 2>/dev/null || true
    if [ -d "/sys/class/net/$BRIDGE" ]; then as_root ip link delete "$BRIDGE"; fi
    kernel_down
    as_root ip route del blackhole "$NETWORK" metric $METRIC 2>/dev/null || true
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *) die "usage: bridge.sh up|down" ;;
esac
