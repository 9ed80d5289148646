{%- set s = pillar['saltroni'] %}
{%- set chosen = s['backup']['walg'] %}
{%- if s['backup']['tool'] == 'pgbackrest' %}
Install pgBackRest:
  pkg.installed:
    - pkgs:
      - pgbackrest{{ ": '%s'" % s['versions']['pgbackrest'] if s['versions']['pgbackrest'] }}
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
    - require:
      - pkg: Install PostgreSQL and Patroni
    - require_in:
      - file: Configure Patroni
{%- elif chosen['source'] == '/usr/local/bin/wal-g' %}
Have WAL-G, which somebody has put here:
  file.exists:
    - name: /usr/local/bin/wal-g
    - require_in:
      - file: Configure Patroni
{%- else %}
# A file from the master is known by Salt's own hash; the pillar's is compared with it as well.
Install WAL-G:
  file.managed:
    - name: /usr/local/bin/wal-g
    - source: {{ chosen['source'] }}
{%- if chosen['sha256'] and chosen['source'].startswith('salt://') %}
    - check_cmd: /usr/local/lib/saltroni/has-sha256 {{ chosen['sha256'] }}
    - require:
      - file: Bring what compares a file with its hash
{%- elif chosen['sha256'] %}
    - source_hash: sha256={{ chosen['sha256'] }}
{%- endif %}
    - user: root
    - group: root
    - mode: '0755'
    - require_in:
      - file: Configure Patroni
{%- if chosen['sha256'] and chosen['source'].startswith('salt://') %}

Bring what compares a file with its hash:
  file.managed:
    - name: /usr/local/lib/saltroni/has-sha256
    - source: salt://backup/files/has-sha256
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true

# One that was installed before the pillar named a hash is compared, too.
Have the WAL-G that the pillar names:
  test.fail_without_changes:
    - comment: /usr/local/bin/wal-g isn't the one whose SHA-256 is in saltroni:backup:walg:sha256
    - unless: /usr/local/lib/saltroni/has-sha256 {{ chosen['sha256'] }} /usr/local/bin/wal-g
    - require:
      - file: Install WAL-G
{%- endif %}
{%- endif %}
