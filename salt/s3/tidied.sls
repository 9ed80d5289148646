# What is deleted keeps its place on the disk until the file that it is in is written anew.
Describe how SeaweedFS gives back what was deleted:
  file.managed:
    - names:
      - /etc/systemd/system/saltroni-s3-vacuum.service:
        - source: salt://s3/files/saltroni-s3-vacuum.service
      - /etc/systemd/system/saltroni-s3-vacuum.timer:
        - source: salt://s3/files/saltroni-s3-vacuum.timer
    - user: root
    - group: root
    - mode: '0644'

Make systemd read SeaweedFS's timer anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Describe how SeaweedFS gives back what was deleted

Give back what was deleted every hour:
  service.running:
    - name: saltroni-s3-vacuum.timer
    - enable: true
    - require:
      - service: Run SeaweedFS
    - watch:
      - file: /etc/systemd/system/saltroni-s3-vacuum.timer
      - module: Make systemd read SeaweedFS's timer anew
