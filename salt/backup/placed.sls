Have a folder for what is remembered of the archive:
  file.directory:
    - name: /var/lib/saltroni-backup
    - user: postgres
    - group: postgres
    - mode: '0700'
    - require:
      - pkg: Install PostgreSQL and Patroni
    - require_in:
      - file: Configure Patroni

# A proof's copy is removed when its unit has ended; a node that lost its power removes it when it starts.
Remove copies at the next start:
  file.managed:
    - name: /etc/tmpfiles.d/saltroni-backup.conf
    - contents:
      - '# Managed by Salt.'
{%- for copy in ('proof', 'extract') %}
      - 'R! {{ pillar['saltroni']['backup']['proof_folder'] or '/var/lib/saltroni-backup' }}/{{ copy }}'
{%- endfor %}
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - file: Have a folder for what is remembered of the archive
{%- if pillar['saltroni']['backup']['proof_folder'] %}

Have a place for a proof's copy:
  file.directory:
    - name: {{ pillar['saltroni']['backup']['proof_folder'] }}
    - user: postgres
    - group: postgres
    - mode: '0700'
    - makedirs: true
    - require:
      - pkg: Install PostgreSQL and Patroni
{%- endif %}
