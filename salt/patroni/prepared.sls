Keep Debian from making a cluster of its own:
  file.managed:
    - name: /etc/postgresql-common/createcluster.d/saltroni.conf
    - contents: create_main_cluster = false
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true

# Restarting the database is the operator's decision, not the package manager's.
Keep needrestart from restarting the cluster's services:
  file.managed:
    - name: /etc/needrestart/conf.d/saltroni.conf
    - contents: $nrconf{override_rc}{qr(^(patroni|etcd|haproxy|postgresql))} = 0;
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true

Restart Patroni when it dies:
  file.managed:
    - name: /etc/systemd/system/patroni.service.d/saltroni.conf
    - source: salt://patroni/files/saltroni.conf
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true

Make systemd read Patroni's unit anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Restart Patroni when it dies
