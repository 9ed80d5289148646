Be a member of etcd:
  etcd_cluster.member:
    - require:
      - file: Configure etcd
      - file: Create etcd's folder for data
      - certificate: Have a good certificate etcd
      - certificate: Have a good certificate etcd-root

Let Patroni use its own part of etcd only:
  etcd_cluster.access:
    - require:
      - etcd_cluster: Be a member of etcd
