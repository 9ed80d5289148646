{%- from 'pki/certificate.jinja' import certificate with context %}
include:
  - node
  - .installed
{{ certificate('patroni', 'postgres') }}
