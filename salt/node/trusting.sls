{%- set authority = pillar['saltroni']['certificates']['ca'] %}
{%- if not authority and 'master' not in pillar['saltroni']['self']['roles'] %}
{{ raise('The cluster has no CA yet. First apply the master: salt-call state.apply on ' ~ pillar['saltroni']['by_role']['master'][0]) }}
{%- endif %}
Create the folder for certificates:
  file.directory:
    - name: /etc/saltroni/pki
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true
{%- if authority %}

Trust the cluster's CA:
  file.managed:
    - name: /etc/saltroni/pki/ca.crt
    - contents_pillar: saltroni:certificates:ca
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - file: Create the folder for certificates
{%- endif %}
