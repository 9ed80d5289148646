{%- set folder = '/etc/saltroni/ca/' ~ pillar['saltroni']['cluster'] %}
{%- set days = pillar['saltroni']['certificates']['ca_days'] %}
Create the CA's folder:
  file.directory:
    - name: {{ folder }}
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true

# Every handshake of the cluster checks two signatures by this key, and health checks alone make forty a second: P-384 costs
# 1.1 ms each, P-256 0.08 ms. A key that is there stays, whatever its size: a new one would be a new CA.
Create the CA's key:
  x509.private_key_managed:
    - name: {{ folder }}/ca.key
    - algo: ec
    - keysize: 256
    - user: root
    - group: root
    - mode: '0600'
    - unless: test -s {{ folder }}/ca.key
    - require:
      - file: Create the CA's folder

Keep the CA's key to root:
  file.managed:
    - name: {{ folder }}/ca.key
    - replace: false
    - user: root
    - group: root
    - mode: '0600'
    - require:
      - x509: Create the CA's key

# Made once. A CA that is about to end is replaced on purpose, since every node must learn the new one.
Create the CA's certificate:
  x509.certificate_managed:
    - name: {{ folder }}/ca.crt
    - signing_private_key: {{ folder }}/ca.key
    - CN: Saltroni CA of {{ pillar['saltroni']['cluster'] }}
    - basicConstraints: critical, CA:true, pathlen:0
    - keyUsage: critical, keyCertSign, cRLSign
    - subjectKeyIdentifier: hash
    - days_valid: {{ days }}
    - days_remaining: 0
    - user: root
    - group: root
    - mode: '0644'
    - show_changes: false
    - require:
      - file: Keep the CA's key to root
