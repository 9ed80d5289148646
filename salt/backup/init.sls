# What archives a PostgreSQL node's WAL and makes its base backups (with saltroni:backup:enabled):
#   installed   WAL-G or pgBackRest
#   brought     what PostgreSQL, Patroni and systemd call, and the Python package behind it
#   configured  its settings, keys and certificates
#   stored      a mounted file system, if that is where backups go
#   shared      pgBackRest's server, by which one member reads another's files
#   scheduled   base backups and proofs; the node that does one is chosen when it is due
{%- set s = pillar['saltroni'] %}
include:
  - node
  - .installed
  - .brought
  - .configured
{%- if s['backup']['storage']['kind'] == 'folder' %}
  - .stored
{%- endif %}
{%- if s['backup']['tool'] == 'pgbackrest' and s['by_role']['patroni'] | length > 1 %}
  - .shared
{%- endif %}
  - .scheduled
