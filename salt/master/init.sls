# Salt's own master:
#   equipped    Python packages of our runners
#   authority   the cluster's CA
#   configured  reactor, and the few calls that nodes may make of each other
#   certified   the master's certificate, by which it asks members
include:
  - node
  - .equipped
  - .authority
  - .configured
  - .certified
