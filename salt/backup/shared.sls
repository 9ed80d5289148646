{%- from 'pki/certificate.jinja' import certificate with context %}
include:
  - node
{{ certificate('pgbackrest', 'postgres') }}
Make pgBackRest's server wait for nothing when it starts:
  file.managed:
    - name: /etc/systemd/system/pgbackrest.service.d/saltroni.conf
    - source: salt://backup/files/pgbackrest-service.conf
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true

Make systemd read pgBackRest's unit anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Make pgBackRest's server wait for nothing when it starts

# A backup that reads by it is made again; a restart touches nothing of PostgreSQL's.
Let members read each other's files for a backup:
  service.running:
    - name: pgbackrest
    - enable: true
    - require:
      - pkg: Install pgBackRest
      - certificate: Have a good certificate pgbackrest
      - module: Make systemd read pgBackRest's unit anew
    - watch:
      - file: Configure pgBackRest
      - x509: Have the CA sign certificate pgbackrest
