# What every node needs:
#   told      the pillar, to the running minion
#   known     names of the cluster's nodes
#   equipped  Python packages for our modules
#   trusting  the cluster's CA
#   reporting its events for the report
include:
  - .told
  - .known
  - .equipped
  - .trusting
  - .reporting
