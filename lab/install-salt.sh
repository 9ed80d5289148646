#!/usr/bin/env bash
# install-salt.sh KIT: all that needs the network: how this machine reaches Debian and PyPI, Salt in /opt/salt, its units.
# Run while a box is built, sourced by bootstrap.sh on a node. A second run changes nothing.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

SALT=3008.5
VENV=/opt/salt
KIT=${1:?usage: install-salt.sh KIT}

changed=

# put SOURCE TARGET [MODE]: copies a file if it differs, and notes that something changed
put() {
    if cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "${3:-644}" ]; then return; fi
    mkdir -p "$(dirname "$2")"
    install -m "${3:-644}" "$1" "$2.new"
    mv "$2.new" "$2"
    changed+=" $2"
}

# write TARGET [MODE]: the same from stdin
write() {
    local new
    new=$(mktemp)
    cat >"$new"
    put "$new" "$@"
    rm "$new"
}

apt() { apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"; }

settings_of_host() {
    local certificate
    put "$KIT/settings/apt.conf" /etc/apt/apt.conf.d/90saltroni-host
    echo 'DPkg::Lock::Timeout "120";' | write /etc/apt/apt.conf.d/90saltroni-lock
    put "$KIT/settings/pip.conf" /etc/pip.conf
    if [ -s "$KIT/settings/resolv.conf" ] && [ ! -L /etc/resolv.conf ]; then put "$KIT/settings/resolv.conf" /etc/resolv.conf; fi
    changed=
    for certificate in "$KIT"/settings/ca/*.crt; do
        [ ! -e "$certificate" ] || put "$certificate" "/usr/local/share/ca-certificates/$(basename "$certificate")"
    done
    [ -z "$changed" ] || ! command -v update-ca-certificates >/dev/null || update-ca-certificates >/dev/null
}

# Salt's own metadata asks for more than Salt 3008 needs (a certifi that PyPI doesn't have, a compiler for
# timelib), so what it really imports is pinned in salt-requirements.txt and Salt comes without dependencies.
install_salt() {
    local stamp=$VENV/.saltroni wanted program
    wanted="$SALT $(sha256sum <"$KIT/salt-requirements.txt")"
    if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
        if ! dpkg-query -W python3-venv ca-certificates >/dev/null 2>&1; then
            apt update
            apt install --no-install-recommends python3-venv ca-certificates
            update-ca-certificates >/dev/null
        fi
        [ -x $VENV/bin/python3 ] || python3 -m venv $VENV
        $VENV/bin/pip install -q --disable-pip-version-check --no-cache-dir -r "$KIT/salt-requirements.txt"
        $VENV/bin/pip install -q --disable-pip-version-check --no-cache-dir --no-deps "salt==$SALT"
        echo "$wanted" >$stamp
    fi
    for program in salt salt-call salt-key salt-run salt-cp salt-minion salt-master; do
        ln -sfn $VENV/bin/$program /usr/local/bin/$program
    done
    # a minion adds this folder to its import path only if it is there when it starts
    mkdir -p /var/cache/salt/minion/extmods/utils /var/log/salt /etc/salt/minion.d /etc/salt/master.d
    put "$KIT/units/salt-minion.service" /etc/systemd/system/salt-minion.service
    put "$KIT/units/salt-master.service" /etc/systemd/system/salt-master.service
}

settings_of_host
changed=
install_salt
