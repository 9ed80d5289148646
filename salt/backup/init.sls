# What archives a PostgreSQL node's WAL and makes its base backups (with saltroni:backup:enabled):
#   installed   WAL-G or pgBackRest
#   brought     what PostgreSQL, Patroni and systemd call, and the Python package behind it
#   placed      folders for what is remembered of the archive, and for a proof's copy
#   configured  its settings
#   entrusted   the key that encrypts backups, and the storage's CA
#   stored      a mounted file system, if that is where backups go
#   shared      pgBackRest's server, by which one member reads another's files
#   scheduled   base backups and proofs; the node that does one is chosen when it is due
{%- set s = pillar['saltroni'] %}
include:
  - node
  - .installed
  - .brought
  - .placed
  - .configured
  - .entrusted
{%- if s['backup']['storage']['kind'] == 'folder' %}
  - .stored
{%- endif %}
{%- if s['backup']['tool'] == 'pgbackrest' and s['by_role']['patroni'] | length > 1 %}
  - .shared
{%- endif %}
  - .scheduled
