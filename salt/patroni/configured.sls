# Reloaded, never restarted. Its passwords stand in no diff.
Configure Patroni:
  file.managed:
    - name: /etc/patroni/config.yml
    - source: salt://patroni/files/patroni.yml.jinja
    - template: jinja
    - user: postgres
    - group: postgres
    - mode: '0600'
    - makedirs: true
    - show_changes: false
    - check_cmd: patroni --validate-config --ignore-listen-port
    - require:
      - pkg: Install PostgreSQL and Patroni
      - x509: Have the CA sign certificate patroni

# Run by Patroni once, where the cluster is founded.
Describe the accounts of a new cluster:
  file.managed:
    - name: /etc/patroni/accounts.sql
    - contents: {{ salt['patroni_sql.script']() | json }}
    - user: postgres
    - group: postgres
    - mode: '0600'
    - show_changes: false
    - require:
      - pkg: Install PostgreSQL and Patroni
