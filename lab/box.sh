#!/usr/bin/env bash
# Builds the LXC box once: Debian 13 with Salt in it. Prints nothing but progress; its name is in .lab/box.
#
# The file is kept in the cache under a hash of everything that goes into it. A build that is interrupted leaves a
# folder tmp.* there (mmdebstrap mounts in a namespace of its own, so nothing stays mounted); the next one clears it.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
only_one "$0" "$@"
in_turn "$0" "$@"

# What the states install: their packages wait in apt's cache of each node, so that a cluster from nothing is quick.
# SALTRONI_PREFETCH=0 leaves them out.
prefetch="etcd-server etcd-client patroni python3-etcd postgresql-17 haproxy pgbackrest gpg gpg-agent gpgconf"
[ "${SALTRONI_PREFETCH:-1}" = 1 ] || prefetch=

mkdir -p "$LAB" "$LOG" "$CACHE"
work=$(mktemp -d "$CACHE/tmp.XXXXXX")
trap 'as_root rm -rf --one-file-system "$work"' EXIT
for old in "$CACHE"/tmp.*; do
    [ "$old" = "$work" ] || as_root rm -rf --one-file-system "$old"
done

kit=$work/kit
mkdir -p "$kit"
"$ROOT/lab/settings.sh" "$kit/settings"
rm -f "$kit/settings/resolv.conf" # a node gets it when it starts: a change of network is no reason for another box
cp -r "$ROOT/lab/install-salt.sh" "$ROOT/lab/salt-requirements.txt" "$ROOT/lab/units" "$ROOT/lab/box" "$kit/"
keys=(/usr/share/rubygems-integration/all/gems/vagrant-[0-9]*/keys/vagrant.pub /opt/vagrant/embedded/gems/*/gems/vagrant-[0-9]*/keys/vagrant.pub)
for key in "${keys[@]}"; do
    [ ! -e "$key" ] || cp "$key" "$kit/vagrant.pub"
done
[ -e "$kit/vagrant.pub" ] || die "Vagrant's public key isn't where it was expected: ${keys[*]}"

hash=$({
    cd "$kit" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    sha256sum <"$ROOT/lab/box.sh"
    echo "$prefetch"
    dpkg --print-architecture
} | sha256sum | cut -c 1-12)
name=saltroni-$hash
box=$CACHE/$name.box

build() {
    local log=$LOG/box.log mirrors
    mapfile -t mirrors <"$kit/settings/mirrors"
    say "building $name: Debian 13, Salt${prefetch:+, packages for later} (log: $log)"
    # shellcheck disable=SC2016  # $1 is mmdebstrap's
    as_root env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 mmdebstrap --mode=root --variant=minbase --format=directory \
        --include="$(sed 's/#.*//' "$kit/box/packages" | xargs | tr ' ' ,)" \
        --aptopt="$kit/settings/apt.conf" --aptopt='Acquire::GzipIndexes "true"' \
        --dpkgopt="$kit/box/dpkg.cfg" --skip=cleanup/apt \
        --customize-hook="cp -r '$kit' \"\$1/run/kit\"" \
        --customize-hook="chroot \"\$1\" bash /run/kit/box/customize.sh $prefetch" \
        --customize-hook='rm -r "$1/run/kit"' \
        trixie "$work/rootfs" \
        "deb ${mirrors[0]} trixie main" "deb ${mirrors[0]} trixie-updates main" \
        "deb ${mirrors[1]} trixie-security main" >"$log" 2>&1 || die "building the box fails, see the end of $log"
    say "packing"
    # stored, not compressed: it is unpacked once for each node
    as_root tar --numeric-owner -C "$work" -c ./rootfs | pigz -0 >"$work/rootfs.tar.gz"
    cp "$kit/box/lxc-config" "$kit/box/metadata.json" "$work/"
    tar -C "$work" -cf "$work/box" metadata.json lxc-config rootfs.tar.gz
    mv "$work/box" "$box"
    as_root rm -rf --one-file-system "$work/rootfs"
    rm "$work/rootfs.tar.gz"
}

if [ -e "$box" ]; then say "$name is in $CACHE"; else build; fi
if ! vagrant box list | grep -q "^$name "; then
    say "handing it to Vagrant"
    vagrant box add --provider lxc --name "$name" "$box" >>"$LOG/box.log" 2>&1 || die "vagrant box add fails: $LOG/box.log"
fi
echo "$name" >"$LAB/box"
say "$name, $(($(stat -c %s "$box") >> 20)) MiB"
