{%- set version = pillar['saltroni']['versions']['etcd'] %}
# Debian starts a member of its own at once. The condition holds it until ours has its certificates.
Let etcd start as a member of our cluster only:
  file.managed:
    - name: /etc/systemd/system/etcd.service.d/saltroni.conf
    - source: salt://etcd/files/saltroni.conf
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true

Make systemd read etcd's unit anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Let etcd start as a member of our cluster only

Install etcd:
  pkg.installed:
    - pkgs:
      - etcd-server{{ ": '%s'" % version if version }}
      - etcd-client{{ ": '%s'" % version if version }}
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
    - require:
      - module: Make systemd read etcd's unit anew
