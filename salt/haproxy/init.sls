# A load balancer that always leads to the leader:
#   installed   the package
#   certified   the certificate that it shows to members when it checks them
#   configured  its settings, checked by haproxy itself
#   running     reloaded when settings or certificate change
include:
  - node
  - .installed
  - .certified
  - .configured
  - .running
