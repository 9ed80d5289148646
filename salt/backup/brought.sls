{%- set lib = '/usr/local/lib/saltroni' %}
# Run by Debian's Python beside saltroni.lineage, which it uses: no Salt in it.
Bring what archives and restores:
  file.recurse:
    - name: {{ lib }}/python/saltroni/backup
    - source: salt://_utils/saltroni/backup
    - include_pat: '*.py'
    - clean: true
    - exclude_pat: '*__pycache__*'
    - user: root
    - group: root
    - dir_mode: '0755'
    - file_mode: '0644'
    - require:
      - file: Make it a package of Python

# What PostgreSQL, Patroni and units call.
Bring the commands that archive and restore:
  file.managed:
    - names:
{%- for name in ('archive', 'fetch', 'replica', 'role-changed') %}
      - {{ lib }}/{{ name }}:
        - source: salt://backup/files/{{ name }}
{%- endfor %}
    - user: root
    - group: root
    - mode: '0755'
    - require:
      - file: Bring what archives and restores
    - require_in:
      - file: Configure Patroni
