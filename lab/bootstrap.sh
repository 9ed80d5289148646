#!/usr/bin/env bash
# Makes a Debian machine a Salt minion (and, where it gets the master's key, the master), the same way on every provider.
#
# Runs as root on a node and takes all from /tmp/saltroni-node.tar (see keys.sh). A second run changes nothing and restarts nothing.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

TAR=/tmp/saltroni-node.tar
KIT=/run/saltroni-kit

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
    # what the state node.reporting writes: the minion reads it when it starts, and its first run is to be told, too
    [ -e /etc/salt/minion.d/saltroni-generated.conf ] || write /etc/salt/minion.d/saltroni-generated.conf <<CONF
# Managed by Salt; the minion reads it when it starts.
return: saltroni_spool
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
# saltroni-lab: what this lab has beside the tree, see lab/beside.sh
file_roots: {base: [/srv/saltroni/salt, /srv/saltroni-lab/files]}
pillar_roots: {base: [/srv/saltroni/pillar]}
module_dirs: [/srv/saltroni/salt]
ext_pillar:
  - cmd_yaml: cat /srv/saltroni-lab/pillar.yml 2>/dev/null || echo '{}'
  - saltroni_cluster: {}
# Only keys that were put there beforehand
auto_accept: False
# With the default of 5 s, salt --batch gives up a state run that takes longer than 15 s and starts the next node.
# The price: a command to a node that doesn't answer takes a minute; salt -t 5 for a quick look.
timeout: 60
gather_job_timeout: 10
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
    # shellcheck source=install-salt.sh
    . $KIT/install-salt.sh $KIT
    local units=$changed
    name_node
    changed=$units
    if [ -e "$KIT/keys/master.pem" ]; then
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

bootstrap
