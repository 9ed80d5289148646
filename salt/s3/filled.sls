Have the cluster's bucket:
  seaweedfs.bucket:
    - name: {{ pillar['saltroni']['backup']['storage']['bucket'] }}
    - require:
      - service: Run SeaweedFS
