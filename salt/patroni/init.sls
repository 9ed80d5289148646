# A member of the PostgreSQL cluster:
#   prepared    Debian makes no cluster of its own
#   installed   PostgreSQL and Patroni
#   certified   the member's certificate
#   configured  Patroni's settings, reloaded when they change
#   compared    its data are part of the leader's history, or it is held out of elections
#   running     member of the cluster: leader or in step with it
#   guarded     the lease guard, where the pillar wants one
#   agreed      the cluster-wide settings in etcd, accounts and databases
include:
  - node
  - .prepared
  - .installed
  - .certified
  - .configured
  - .compared
  - .running
  - .guarded
  - .agreed
