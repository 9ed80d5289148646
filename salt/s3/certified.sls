{%- from 'pki/certificate.jinja' import certificate with context %}
include:
  - node
  - .installed
{{ certificate('s3', 'seaweedfs') }}
Create the folder for SeaweedFS's settings:
  file.directory:
    - name: /etc/saltroni/s3
    - user: root
    - group: seaweedfs
    - mode: '0750'
    - makedirs: true
    - require:
      - user: Have a user for SeaweedFS

# Its parts talk to each other by a protocol that asks for nothing else, at the node's address too: this certificate is
# its own CA, so nobody but this node has one that is good.
Create the key by which SeaweedFS's parts know each other:
  x509.private_key_managed:
    - name: /etc/saltroni/s3/inside.key
    - algo: ec
    - keysize: 256
    - user: root
    - group: seaweedfs
    - mode: '0640'
    - require:
      - file: Create the folder for SeaweedFS's settings

Create the certificate by which SeaweedFS's parts know each other:
  x509.certificate_managed:
    - name: /etc/saltroni/s3/inside.crt
    - signing_private_key: /etc/saltroni/s3/inside.key
    - CN: SeaweedFS on {{ pillar['saltroni']['self']['name'] }}
    - basicConstraints: critical, CA:true
    - keyUsage: critical, digitalSignature, keyCertSign
    - subjectKeyIdentifier: hash
    - days_valid: {{ pillar['saltroni']['certificates']['ca_days'] }}
    - days_remaining: {{ pillar['saltroni']['certificates']['renew_days'] }}
    - user: root
    - group: seaweedfs
    - mode: '0640'
    - show_changes: false
    - require:
      - x509: Create the key by which SeaweedFS's parts know each other
