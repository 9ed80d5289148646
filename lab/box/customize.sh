#!/usr/bin/env bash
# customize.sh PACKAGE...: inside the box's root file system, while it is built.
set -euo pipefail
kit=/run/kit

# Vagrant comes in as this user with the key that every Vagrant box knows; only the host reaches the nodes' network
useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
chmod 440 /etc/sudoers.d/vagrant
install -d -m 700 -o vagrant -g vagrant ~vagrant/.ssh
install -m 600 -o vagrant -g vagrant $kit/vagrant.pub ~vagrant/.ssh/authorized_keys

# Each node makes a host key of its own at its first boot
rm -f /etc/ssh/ssh_host_*
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' >/etc/ssh/sshd_config.d/hostkey.conf
cp $kit/box/ssh-hostkey.service /etc/systemd/system/
systemctl -q enable ssh-hostkey.service

# Its address comes when its network does, not with the container
cp $kit/box/address.service /etc/systemd/system/
systemctl -q enable address.service

# Nobody else uses apt while a state does
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer

# The node's name and identity are its own
rm -f /etc/hostname
: >/etc/machine-id
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >/etc/hosts

# A lab's node is made anew rather than repaired: no waiting for the disk while packages are unpacked
cp $kit/box/dpkg.cfg /etc/dpkg/dpkg.cfg.d/90saltroni-lab
rm -f /etc/apt/apt.conf.d/99mmdebstrap
echo 'Acquire::GzipIndexes "true";' >/etc/apt/apt.conf.d/90saltroni-lists
bash $kit/install-salt.sh $kit

apt-get clean
[ $# = 0 ] || apt-get -q -y --no-install-recommends --download-only install "$@"
