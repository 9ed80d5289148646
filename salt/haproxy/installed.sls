{%- set version = pillar['saltroni']['versions']['haproxy'] %}
Install HAProxy:
  pkg.installed:
    - pkgs:
      - haproxy{{ ": '%s'" % version if version }}
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
