# The one file that a user edits. Everything is derived from it: machines, addresses, certificates,
# etcd's members, HAProxy's servers, pg_hba, the tests. Unknown keys and unsafe values are refused.
# Every setting with its default and its rule: docs/settings.md
saltroni:
  cluster: demo

  nodes:
    salt: {address: 192.168.56.10, roles: [master], memory_mb: 1536}
    etcd1: {address: 192.168.56.11, roles: [etcd], memory_mb: 512}
    etcd2: {address: 192.168.56.12, roles: [etcd], memory_mb: 512}
    etcd3: {address: 192.168.56.13, roles: [etcd], memory_mb: 512}
    pg1: {address: 192.168.56.21, roles: [patroni], memory_mb: 1024}
    pg2: {address: 192.168.56.22, roles: [patroni], memory_mb: 1024}
    pg3: {address: 192.168.56.23, roles: [patroni], memory_mb: 1024}
    lb1: {address: 192.168.56.31, roles: [haproxy], memory_mb: 512}
    lb2: {address: 192.168.56.32, roles: [haproxy], memory_mb: 512}

  postgresql:
    version: 17
    replication: quorum        # async, sync, quorum or strict
    users:
      app: {database: app}
    wal_dir: /var/lib/postgresql-wal   # a disk of its own: in the lab too

  guard:
    enabled: true              # stops a PostgreSQL whose Patroni is frozen, before another one leads

  drills:
    allowed: true              # real faults on this cluster: say no where nobody may break it
    boot_s: 15                 # the lab's containers, when all boot at once; a machine may take a minute or more
