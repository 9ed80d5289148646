Install HAProxy:
  pkg.installed:
    - name: haproxy
    - install_recommends: false
