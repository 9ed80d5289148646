Be a member of the PostgreSQL cluster:
  patroni.member:
    - require:
      - file: Configure Patroni
      - file: Put Patroni's settings into it
      - file: Describe the accounts of a new cluster
      - file: Have a place for data and WAL

Reload Patroni when its settings or certificate change:
  module.run:
    - service.reload:
      - patroni
    - onchanges:
      - file: Configure Patroni
      - x509: Have the CA sign certificate patroni
    - require:
      - patroni: Be a member of the PostgreSQL cluster
