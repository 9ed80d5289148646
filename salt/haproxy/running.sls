Run HAProxy:
  service.running:
    - name: haproxy
    - enable: true
    - reload: true
    - watch:
      - file: Have HAProxy end the sessions of servers that are down
      - file: Configure HAProxy
      - x509: Have the CA sign certificate haproxy
