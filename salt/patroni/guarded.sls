# Its logic is that of our modules, but under the system's Python: it must not depend on Salt.
Bring the lease guard:
  file.recurse:
    - name: /usr/local/lib/saltroni/guard
    - source: salt://_utils/saltroni/guard
    - include_pat: '*.py'
    - user: root
    - group: root
    - file_mode: '0644'
    - dir_mode: '0755'
    - clean: true

Bring what the lease guard knows of processes:
  file.managed:
    - name: /usr/local/lib/saltroni/processes.py
    - source: salt://_utils/saltroni/processes.py
    - user: root
    - group: root
    - mode: '0644'

# It holds two passwords: they stand in no diff.
Configure the lease guard:
  file.managed:
    - name: /etc/saltroni/guard.json
    - source: salt://patroni/files/guard.json.jinja
    - template: jinja
    - user: postgres
    - group: postgres
    - mode: '0600'
    - show_changes: false
    - require:
      - pkg: Install PostgreSQL and Patroni

Describe the lease guard to systemd:
  file.managed:
    - name: /etc/systemd/system/saltroni-guard.service
    - source: salt://patroni/files/saltroni-guard.service
    - user: root
    - group: root
    - mode: '0644'

Make systemd read the lease guard's unit anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Describe the lease guard to systemd

# It may be restarted at any time: what it guards goes on.
Run the lease guard:
  service.running:
    - name: saltroni-guard
    - enable: true
    - require:
      - certificate: Have a good certificate patroni
      - module: Make systemd read the lease guard's unit anew
    - watch:
      - file: Bring the lease guard
      - file: Bring what the lease guard knows of processes
      - file: Configure the lease guard
      - file: Describe the lease guard to systemd
