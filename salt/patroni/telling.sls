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
