# Salt's own master:
#   equipped    Python packages of our runners
#   authority   the cluster's CA
#   configured  reactor, and the few calls that nodes may make of each other
#   scheduled   drills that are done by themselves
#   certified   the master's certificate, by which it asks members
include:
  - node
  - .equipped
  - .authority
  - .configured
  - .scheduled
  - .certified
