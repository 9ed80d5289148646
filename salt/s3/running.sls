Make systemd read SeaweedFS's unit anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Describe SeaweedFS to systemd

# Before it is started: one that has just begun would be ended by the signal.
Have SeaweedFS read who may do what:
  module.run:
    - service.reload:
      - saltroni-s3
    - onlyif:
      - fun: service.status
        name: saltroni-s3
    - onchanges:
      - file: Say who may do what with SeaweedFS
    - require:
      - module: Make systemd read SeaweedFS's unit anew

# A restart takes it 20 s, in which archiving waits; nothing else of the cluster does.
Run SeaweedFS:
  service.running:
    - name: saltroni-s3
    - enable: true
    - require:
      - file: Create SeaweedFS's folder for data
      - file: Say who may do what with SeaweedFS
      - certificate: Have a good certificate s3
      - module: Have SeaweedFS read who may do what
    - watch:
      - pip: Install SeaweedFS
      - x509: Have the CA sign certificate s3
      - x509: Create the certificate by which SeaweedFS's parts know each other
      - file: Say how SeaweedFS's parts know each other
      - file: Describe SeaweedFS to systemd
