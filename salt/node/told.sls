# A running minion keeps the pillar that it read when it started, and would do what others ask of it by that.
{%- set note = salt['config.get']('cachedir') ~ '/saltroni-pillar' %}
Note which pillar this node was told:
  file.managed:
    - name: {{ note }}
    - contents: {{ pillar['saltroni'] | json | sha256 }}
    - user: root
    - group: root
    - mode: '0600'

Have the running minion read it, too:
  module.run:
    - saltutil.refresh_pillar: []
    - onchanges:
      - file: {{ note }}
