Agree on the cluster-wide settings:
  patroni.dynamic_config:
    - require:
      - patroni: Be a member of the PostgreSQL cluster

# The leader makes them; on other members there is nothing to do.
Make the accounts and databases:
  patroni.accounts:
    - require:
      - patroni: Be a member of the PostgreSQL cluster
