Bring the check of Patroni's configuration:
  file.managed:
    - name: /usr/local/lib/saltroni/check-patroni-config
    - source: salt://patroni/files/check-config
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true

Bring what Patroni calls before it stops PostgreSQL:
  file.managed:
    - name: /usr/local/lib/saltroni/stop-first
    - source: salt://patroni/files/stop-first
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true

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
      - file: Bring what Patroni calls before it stops PostgreSQL
      - file: Bring what Patroni calls when a role changes
      - pkg: Install PostgreSQL and Patroni
      - certificate: Have a good certificate patroni

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
