Bring the check of Patroni's configuration:
  file.managed:
    - name: /usr/local/lib/saltroni/check-patroni-config
    - source: salt://patroni/files/check-config
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true

Let Patroni write into the spool for the report:
  file.directory:
    - name: /var/spool/saltroni
    - user: root
    - group: postgres
    - mode: '1730'
    - require:
      - pkg: Install PostgreSQL and Patroni

Bring what Patroni calls when a role changes:
  file.managed:
    - name: /usr/local/lib/saltroni/tell-role
    - source: salt://patroni/files/tell-role
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true
    - require:
      - file: Let Patroni write into the spool for the report

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
    - check_cmd: /usr/local/lib/saltroni/check-patroni-config
    - require:
      - file: Bring the check of Patroni's configuration
      - file: Bring what Patroni calls when a role changes
      - pkg: Install PostgreSQL and Patroni
      - certificate: Have a good certificate patroni

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

# Patroni reads every .yml in it. User postgres may put a file there that holds this member out of elections.
Have a folder for all of Patroni's settings:
  file.directory:
    - name: /etc/patroni/merged
    - user: postgres
    - group: postgres
    - mode: '0700'
    - require:
      - pkg: Install PostgreSQL and Patroni

Put Patroni's settings into it:
  file.symlink:
    - name: /etc/patroni/merged/config.yml
    - target: ../config.yml
    - require:
      - file: Configure Patroni
      - file: Have a folder for all of Patroni's settings
