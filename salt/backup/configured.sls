{%- set s = pillar['saltroni'] %}
{%- set storage = s['backup']['storage'] %}
{%- if storage['kind'] == 's3' and not s['secrets'].get('s3_secret_key') %}
{{ raise('The keys of the storage %s are not known: on the master, salt-run secret.s3 path=FILE (docs/storage.md)' % storage['endpoint']) }}
{%- endif %}
{%- macro settings(name, source) %}
    - name: {{ name }}
    - source: salt://backup/files/{{ source }}.jinja
    - template: jinja
    - user: root
    - group: postgres
    - mode: '0640'
    - makedirs: true
    - show_changes: false
    - require:
      - pkg: Install PostgreSQL and Patroni
    - require_in:
      - file: Configure Patroni
{%- endmacro %}
# Of these files only the first holds no key; none stands in a diff.
Tell the programs on this node of backups:
  file.managed:
{{- settings('/etc/saltroni/backup.json', 'backup.json') }}
{%- if s['backup']['tool'] == 'walg' %}

Configure WAL-G:
  file.managed:
{{- settings('/etc/saltroni/walg.yaml', 'walg.yaml') }}
{%- else %}

Configure pgBackRest:
  file.managed:
{{- settings('/etc/pgbackrest/pgbackrest.conf', 'pgbackrest.conf') }}

Have a place for segments that pgBackRest archives in advance:
  file.directory:
    - names:
      - /var/spool/pgbackrest
      - /var/log/pgbackrest
    - user: postgres
    - group: postgres
    - mode: '0750'
    - require:
      - pkg: Install pgBackRest
    - require_in:
      - file: Configure Patroni
{%- endif %}
