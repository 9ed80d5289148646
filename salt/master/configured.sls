# At each event the master reads the reaction: from salt:// it would make itself a file client first, 17 ms of CPU.
Lay the reactions on the master's disk:
  file.recurse:
    - name: /etc/salt/saltroni-reactor
    - source: salt://reactor
    - user: root
    - group: root
    - dir_mode: '0755'
    - file_mode: '0644'

# The master reads this when it starts. Nothing here restarts it: a restart in the middle of a run would lose the run.
Tell the master what nodes may ask of each other and which events it records:
  file.managed:
    - name: /etc/salt/master.d/saltroni-generated.conf
    - source: salt://master/files/master.conf.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'
    - require:
      - file: Lay the reactions on the master's disk

# The CA signs by the policies that its minion remembers; it is told to look again when they have changed.
Write down the CA's policies:
  file.managed:
    - name: /etc/saltroni/ca/{{ pillar['saltroni']['cluster'] }}/policies.json
    - contents: {{ pillar['x509_signing_policies'] | json | json }}
    - user: root
    - group: root
    - mode: '0644'
    - show_changes: false
    - require:
      - file: Create the CA's folder

Make the CA's minion learn its policies:
  module.run:
    - saltutil.refresh_pillar:
      - wait: true
    - onchanges:
      - file: Write down the CA's policies
