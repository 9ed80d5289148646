Have HAProxy end the sessions of servers that are down:
  file.managed:
    - name: /etc/haproxy/end-sessions.lua
    - source: salt://haproxy/files/end-sessions.lua
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - pkg: Install HAProxy

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
      - file: Have HAProxy end the sessions of servers that are down
      - certificate: Have a good certificate haproxy
