{%- set s = pillar['saltroni'] %}
# Run by Debian's Python, which has what Patroni needs: no Salt in it.
Bring what compares this member with the leader:
  file.recurse:
    - name: /usr/local/lib/saltroni/python/saltroni/lineage
    - source: salt://_utils/saltroni/lineage
    - include_pat: '*.py'
    - clean: true
    - exclude_pat: '*__pycache__*'
    - user: root
    - group: root
    - dir_mode: '0755'
    - file_mode: '0644'

Make it a package of Python:
  file.managed:
    - name: /usr/local/lib/saltroni/python/saltroni/__init__.py
    - source: salt://_utils/saltroni/__init__.py
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - file: Bring what compares this member with the leader

Describe the service that compares:
  file.managed:
    - name: /etc/systemd/system/saltroni-lineage.service
    - source: salt://patroni/files/saltroni-lineage.service.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'

Compare this member with the leader:
  service.running:
    - name: saltroni-lineage
    - enable: true
    - require:
      - pkg: Install PostgreSQL and Patroni
      - file: Have a folder for all of Patroni's settings
    - watch:
      - file: Bring what compares this member with the leader
      - file: Make it a package of Python
      - file: Describe the service that compares
