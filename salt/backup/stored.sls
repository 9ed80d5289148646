{%- set s = pillar['saltroni'] %}
{%- set folder = s['backup']['storage']['folder'] %}
# Where nothing is mounted, backups would fill this node's own disk and be lost with it. Patroni doesn't wait for it: a
# storage that is out is no reason to have one member less.
Have a mounted file system for backups:
  mounted.below:
    - name: {{ folder }}

Create the cluster's folder for backups:
  file.directory:
    - name: {{ folder }}/{{ s['cluster'] }}
    - user: postgres
    - group: postgres
    - mode: '0700'
    - require:
      - mounted: Have a mounted file system for backups
      - pkg: Install PostgreSQL and Patroni

Create the folder for backups of this version:
  file.directory:
    - name: {{ s['backup']['path'] }}
    - user: postgres
    - group: postgres
    - mode: '0700'
    - require:
      - file: Create the cluster's folder for backups
