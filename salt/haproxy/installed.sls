Install HAProxy:
  pkg.installed:
    - name: haproxy
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
