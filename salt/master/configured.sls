# The master reads this when it starts. Nothing here restarts it: a restart in the middle of a run would lose the run.
Tell the master what nodes may ask of each other and which events it records:
  file.managed:
    - name: /etc/salt/master.d/saltroni-generated.conf
    - source: salt://master/files/master.conf.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'

# The CA signs by the policies that its minion remembers.
Make the CA's minion learn the policies of new nodes:
  module.run:
    - saltutil.refresh_pillar:
      - wait: true
    - onchanges:
      - file: Tell the master what nodes may ask of each other and which events it records
