# A member of the PostgreSQL cluster:
#   prepared    Debian makes no cluster of its own
#   installed   PostgreSQL and Patroni
#   certified   the member's certificate
#   telling     what Patroni tells the report
#   configured  Patroni's settings, reloaded when they change
#   placed      where its data go, and what founds a new cluster's accounts
#   compared    its data are part of the leader's history, or it is held out of elections
#   running     member of the cluster: leader or in step with it
#   guarded     the lease guard, or unguarded: the pillar says which
#   agreed      the cluster-wide settings in etcd, accounts and databases
#   backup      archive and backups, where the pillar has them: see there
include:
  - node
  - .prepared
  - .installed
  - .certified
  - .telling
  - .configured
  - .placed
  - .compared
  - .running
  - .{{ 'guarded' if pillar['saltroni']['guard']['enabled'] else 'unguarded' }}
  - .agreed
{%- if pillar['saltroni']['backup']['enabled'] %}
  - backup
{%- elif salt['file.file_exists']('/etc/systemd/system/saltroni-backup.timer') %}
  - backup.ended
{%- endif %}
