#!/usr/bin/env bash
# Installs what the lab needs on a Debian host, and only what is missing.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
in_turn "$0" "$@"

command -v apt-get >/dev/null || die "this isn't Debian: install Vagrant and a provider yourself (docs/lab.md)"
[ "$EUID" = 0 ] || command -v sudo >/dev/null || die "run this as root, or install sudo"

packages=(vagrant rsync openssh-client openssl)
if [ "$PROVIDER" = lxc ]; then
    # vagrant-lxc calls sudo, as root too
    packages+=(lxc sudo mmdebstrap pigz e2fsprogs debian-archive-keyring iproute2 nftables)
fi

# Debian 12 has Vagrant's plugin for LXC as a package, Debian 13 hasn't: there Vagrant itself fetches it
plugin=
if [ "$PROVIDER" = lxc ]; then
    # shellcheck source=/dev/null
    if [ "$(. /etc/os-release && echo "${VERSION_ID:-}")" = 12 ]; then packages+=(vagrant-lxc); else plugin=vagrant-lxc; fi
fi

install_plugin() {
    [ -n "$plugin" ] || return 0
    vagrant plugin list | grep -q "^$plugin " && return 0
    say "installing Vagrant's plugin $plugin"
    mkdir -p "$LOG"
    vagrant plugin install "$plugin" --plugin-version 1.4.3 >"$LOG/plugin.log" 2>&1 ||
        die "vagrant plugin install $plugin fails: $LOG/plugin.log"
}

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
    install_plugin
    say "all there"
    exit
fi

say "installing ${missing[*]}"
mkdir -p "$LOG"
log=$LOG/host.log
install_missing() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 \
        install --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
if ! install_missing; then
    say "apt's lists may be old: updating them"
    as_root apt-get -q -o DPkg::Lock::Timeout=120 update >>"$log" 2>&1 || die "apt-get update fails: $log"
    install_missing || die "apt-get install fails: $log"
fi
install_plugin
