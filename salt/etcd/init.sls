# A member of etcd, which holds the leader's lease:
#   installed   the packages, without the single member that Debian starts
#   certified   its certificate and that of etcd's user root
#   configured  its settings
#   running     member of the cluster: founded, joined or replaced; users and their rights
include:
  - node
  - .installed
  - .certified
  - .configured
  - .running
