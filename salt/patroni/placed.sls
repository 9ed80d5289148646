# Patroni makes and removes the cluster's folders in there: a mount point must be PostgreSQL's as well.
Have a place for data and WAL:
  file.directory:
    - names:
{%- for folder in pillar['saltroni']['folders'].values() if folder %}
      - {{ salt['file.dirname'](folder) }}
{%- endfor %}
    - user: postgres
    - group: postgres
    - mode: '0755'
    - makedirs: true
    - require:
      - pkg: Install PostgreSQL and Patroni

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
