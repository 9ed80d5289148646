Run HAProxy:
  service.running:
    - name: haproxy
    - enable: true
    - reload: true
    - watch:
      - file: Configure HAProxy
      - x509: Have the CA sign certificate haproxy
