{%- from 'pki/certificate.jinja' import certificate with context %}
{%- if pillar['saltroni']['certificates']['ca'] %}
include:
  - node
{{ certificate('master', 'root') }}
{%- else %}
{}
{%- endif %}
