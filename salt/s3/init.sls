# The cluster's own storage for backups, which speaks S3 (SeaweedFS):
#   installed   its program, in a Python environment of its own, and its user
#   certified   the certificate that clients see, and one that it shows to itself only
#   configured  its settings, and who may do what
#   running     restarted when its program, unit or certificate changes; new keys are read while it runs
#   filled      the cluster's bucket
#   tidied      what was deleted gives its place back
include:
  - node
  - .installed
  - .certified
  - .configured
  - .running
  - .filled
  - .tidied
