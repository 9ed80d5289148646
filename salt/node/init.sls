# What every node needs:
#   known     names of the cluster's nodes
#   equipped  Python packages for our modules
#   trusting  the cluster's CA
#   reporting its events for the report
include:
  - .known
  - .equipped
  - .trusting
  - .reporting
