#!/usr/bin/env bash
# keys.sh: makes what each node gets before its first contact with the master, as .lab/nodes/NODE.tar:
# its Salt key, the master's public key, and how this machine reaches Debian and PyPI.
# Keys are made once and kept: a node that comes back from an empty disk is the same node to the master.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

keys=$LAB/keys
umask 077
mkdir -p "$keys" "$LAB/nodes"
exec 8>"$LAB/keys.lock"
flock -w 60 8 || die "waited 60 s for another keys.sh"
echo "$NUMBER" >"$LAB/number"

key() { # key NAME: a key pair of Salt's kind; a half-made one doesn't count
    [ ! -s "$keys/$1.pub" ] || return 0
    openssl genrsa -traditional -out "$keys/$1.pem" 2048 2>/dev/null
    openssl rsa -in "$keys/$1.pem" -pubout -out "$keys/$1.pub.new" 2>/dev/null
    mv "$keys/$1.pub.new" "$keys/$1.pub"
}

kit=$(mktemp -d "$LAB/kit.XXXXXX")
trap 'rm -rf "$kit"' EXIT

pack() { # pack NODE: same content, same file, so that nothing is provisioned twice for nothing
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$kit" -cf "$LAB/nodes/$1.tar.new" .
    if cmp -s "$LAB/nodes/$1.tar.new" "$LAB/nodes/$1.tar"; then
        rm "$LAB/nodes/$1.tar.new"
    else
        mv "$LAB/nodes/$1.tar.new" "$LAB/nodes/$1.tar"
    fi
}

"$ROOT/lab/settings.sh" "$kit/settings"
cp -r "$ROOT/lab/install-salt.sh" "$ROOT/lab/salt-requirements.txt" "$ROOT/lab/units" "$kit/"

master=$(nodes master)
key master
mapfile -t names < <(nodes names)
for node in "${names[@]}"; do key "$node"; done

address=$(nodes | awk -v node="$master" '$1 == node {print $2}')
for node in "${names[@]}"; do
    rm -rf "$kit/keys"
    mkdir "$kit/keys"
    cp "$keys/$node.pem" "$kit/keys/minion.pem"
    cp "$keys/$node.pub" "$kit/keys/minion.pub"
    cp "$keys/master.pub" "$kit/keys/minion_master.pub"
    if [ "$node" = "$master" ]; then
        cp "$keys/master.pem" "$keys/master.pub" "$kit/keys/"
        mkdir "$kit/keys/accepted"
        for accepted in "${names[@]}"; do cp "$keys/$accepted.pub" "$kit/keys/accepted/$accepted"; done
    fi
    printf 'id=%s\nmaster=%s\n' "$node" "$address" >"$kit/node.conf"
    pack "$node"
done
