{%- set s = pillar['saltroni'] %}
{%- set storage = s['backup']['storage'] %}
{%- if s['backup']['encryption'] and s['backup']['tool'] == 'walg' %}
{%- if not s['secrets'].get('pgp') %}
{%- set hint = "salt-call state.apply on %s; if that doesn't help, the log of salt-master says why" % s['by_role']['master'][0] %}
{{ raise("The key that encrypts backups isn't made yet. First apply the master: " ~ hint) }}
{%- endif %}
Have the key that encrypts backups:
  file.managed:
    - name: /etc/saltroni/pgp.key
    - contents_pillar: saltroni:secrets:pgp
    - user: root
    - group: postgres
    - mode: '0640'
    - show_changes: false
    - require:
      - pkg: Install PostgreSQL and Patroni
    - require_in:
      - file: Configure Patroni
{%- endif %}
{%- if storage['ca'] and not storage['own'] %}

Trust the CA of the storage:
  file.managed:
    - name: {{ storage['ca_file'] }}
    - contents_pillar: saltroni:backup:storage:ca
    - user: root
    - group: root
    - mode: '0644'
    - require_in:
      - file: Configure Patroni
{%- endif %}
