Create SeaweedFS's folder for data:
  file.directory:
    - name: {{ pillar['saltroni']['s3']['folder'] }}
    - user: seaweedfs
    - group: seaweedfs
    - mode: '0700'
    - makedirs: true
    - require:
      - user: Have a user for SeaweedFS

# SeaweedFS takes the settings of its TLS from this name in this folder.
Say how SeaweedFS's parts know each other:
  file.managed:
    - name: /etc/saltroni/s3/security.toml
    - source: salt://s3/files/security.toml
    - user: root
    - group: seaweedfs
    - mode: '0640'
    - require:
      - x509: Create the certificate by which SeaweedFS's parts know each other

# It holds the storage's keys: they stand in no diff. Nobody may make buckets, or touch others than this cluster's.
Say who may do what with SeaweedFS:
  file.managed:
    - name: /etc/saltroni/s3/identities.json
    - source: salt://s3/files/identities.json.jinja
    - template: jinja
    - user: seaweedfs
    - group: seaweedfs
    - mode: '0600'
    - show_changes: false
    - require:
      - file: Create the folder for SeaweedFS's settings

Describe SeaweedFS to systemd:
  file.managed:
    - name: /etc/systemd/system/saltroni-s3.service
    - source: salt://s3/files/saltroni-s3.service.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'
