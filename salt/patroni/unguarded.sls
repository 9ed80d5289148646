Run no lease guard:
  service.dead:
    - name: saltroni-guard
    - enable: false

Forget what the lease guard knew:
  file.absent:
    - names:
      - /etc/saltroni/guard.json
      - /etc/systemd/system/saltroni-guard.service
    - require:
      - service: Run no lease guard
