# Which cluster a minion belongs to. For a second cluster on the same master, copy cluster.sls
# and target its nodes with a line of their own.
base:
  '*':
    - cluster
