{%- from 'pki/certificate.jinja' import certificate with context %}
include:
  - node
  - .installed
{{ certificate('etcd', 'etcd') }}
{{ certificate('etcd-root', 'root') }}
