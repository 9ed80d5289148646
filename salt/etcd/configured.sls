Create etcd's folder for data:
  file.directory:
    - name: /var/lib/etcd
    - user: etcd
    - group: etcd
    - mode: '0700'

# Never restarts etcd: health shows a member that runs with older settings.
Configure etcd:
  file.managed:
    - name: /etc/default/etcd
    - source: salt://etcd/files/etcd.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - pkg: Install etcd
