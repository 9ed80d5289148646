#!/usr/bin/env bash
# Makes a Debian machine a Salt minion (and, where it gets the master's key, the master), the same way on every provider.
#
#   bootstrap.sh                  as root on a node: everything, from /tmp/saltroni-node.tar (see keys.sh)
#   bootstrap.sh install KIT      only what needs the network: for building a box
#
# A second run changes nothing and restarts nothing.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

SALT=3008.5
TAR=/tmp/saltroni-node.tar
KIT=/run/saltroni-kit
VENV=/opt/salt

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

name_node() {
    echo "$id" | write /etc/hostname
    [ "$(hostname)" = "$id" ] || hostname "$id"
    grep -qE "[[:space:]]$id([[:space:]]|$)" /etc/hosts || echo "127.0.1.1 $id" >>/etc/hosts
}

configure_minion() {
    write /etc/salt/minion.d/saltroni.conf <<CONF
# Written by lab/bootstrap.sh
master: $master
id: $id
# a second state run waits for the first instead of failing
state_queue: True
# find out within a minute that the master is gone without a word, and spread the return
tcp_keepalive_idle: 30
tcp_keepalive_intvl: 10
tcp_keepalive_cnt: 3
recon_default: 500
recon_max: 5000
recon_randomize: True
# no DNS queries and no lspci at start
enable_fqdns_grains: False
enable_gpu_grains: False
CONF
    install -d -m 700 /etc/salt/pki /etc/salt/pki/minion
    put "$KIT/keys/minion.pem" /etc/salt/pki/minion/minion.pem 400
    put "$KIT/keys/minion.pub" /etc/salt/pki/minion/minion.pub
    put "$KIT/keys/minion_master.pub" /etc/salt/pki/minion/minion_master.pub
}

configure_master() {
    write /etc/salt/master.d/saltroni.conf <<CONF
# Written by lab/bootstrap.sh; what follows from the pillar is in saltroni-generated.conf, written by a state
id: $id
file_roots: {base: [/srv/saltroni/salt]}
pillar_roots: {base: [/srv/saltroni/pillar]}
module_dirs: [/srv/saltroni]
# module_dirs would take /srv/saltroni/pillar, the pillar's root, for the folder of pillar modules
pillar_dirs: [/srv/saltroni/_pillar]
ext_pillar: [{saltroni_cluster: {}}]
# Only keys that were put there beforehand
auto_accept: False
# With the default of 5 s, salt --batch gives up a state run that takes longer than 15 s and starts the next node.
# The price: a command to a node that doesn't answer takes a minute; salt -t 5 for a quick look.
timeout: 60
gather_job_timeout: 10
worker_threads: 5
# a file that was just synced is seen at once
fileserver_list_cache_time: 0
keep_jobs_seconds: 86400
tcp_keepalive_idle: 30
tcp_keepalive_intvl: 10
tcp_keepalive_cnt: 3
CONF
    install -d -m 700 /var/lib/saltroni
    install -d -m 700 /etc/salt/pki /etc/salt/pki/master
    # The master keeps its key under its id, and reaches it by these links
    put "$KIT/keys/master.pem" "/etc/salt/pki/master/$id.pem" 400
    put "$KIT/keys/master.pub" "/etc/salt/pki/master/$id.pub"
    ln -sfn "$id.pem" /etc/salt/pki/master/master.pem
    ln -sfn "$id.pub" /etc/salt/pki/master/master.pub
}

# The master reads these at each contact: no restart. A key that bootstrap put there earlier and whose node has
# left the pillar goes away; keys that somebody else accepted stay.
accept_keys() {
    local accepted=/etc/salt/pki/master/minions list=/etc/salt/pki/master/saltroni.list name
    install -d -m 700 $accepted
    touch $list
    while read -r name; do
        [ -e "$KIT/keys/accepted/$name" ] || rm -f "$accepted/$name"
    done <$list
    for name in "$KIT"/keys/accepted/*; do put "$name" "$accepted/$(basename "$name")"; done
    ls "$KIT/keys/accepted" >$list
}

# start UNIT: enabled and running with the configuration in force
start() {
    systemctl daemon-reload
    systemctl -q enable "$1"
    if [ -n "$changed" ]; then systemctl restart "$1"; else systemctl start "$1"; fi
}

bootstrap() {
    local id='' master='' before
    umask 022
    trap 'rm -rf $KIT $TAR' EXIT
    rm -rf $KIT
    install -d -m 700 $KIT
    tar -C $KIT -xf $TAR
    before=$(cat $TAR "$0" | sha256sum)
    # shellcheck source=/dev/null
    . $KIT/node.conf
    settings_of_host
    name_node
    changed=
    install_salt
    local units=$changed
    if [ -e $KIT/keys/master.pem ]; then
        configure_master
        start salt-master
        accept_keys
    fi
    changed=$units
    configure_minion
    start salt-minion
    install -d -m 755 /var/lib/saltroni-lab
    echo "$before" >/var/lib/saltroni-lab/bootstrapped # see up.sh: a node without this isn't finished
}

case ${1:-} in
    install)
        KIT=${2:?usage: bootstrap.sh install KIT}
        settings_of_host
        install_salt
        ;;
    "") bootstrap ;;
    *)
        echo "usage: bootstrap.sh [install KIT]" >&2
        exit 2
        ;;
esac
