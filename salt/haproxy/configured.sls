Configure HAProxy:
  file.managed:
    - name: /etc/haproxy/haproxy.cfg
    - source: salt://haproxy/files/haproxy.cfg.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'
    - check_cmd: haproxy -c -q -f
    - require:
      - pkg: Install HAProxy
      - certificate: Have a good certificate haproxy
