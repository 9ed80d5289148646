{%- set version = pillar['saltroni']['postgresql']['version'] %}
{%- set patroni = pillar['saltroni']['versions']['patroni'] %}
Install PostgreSQL and Patroni:
  pkg.installed:
    - pkgs:
      - postgresql-{{ version }}
      - patroni{{ ": '%s'" % patroni if patroni }}
      - python3-etcd
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
    - require:
      - file: Keep Debian from making a cluster of its own
      - module: Make systemd read Patroni's unit anew
