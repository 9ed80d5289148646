{%- set s = pillar['saltroni'] %}
{%- set units = {'backup': s['backup']['calendar'], 'proof': s['backup']['proof_calendar']} %}
{%- set folder = '/etc/systemd/system/saltroni-' %}
{%- for setting, calendar in (('calendar', units['backup']), ('proof_calendar', units['proof'])) if calendar %}
{%- if salt['cmd.which']('systemd-analyze') and salt['cmd.retcode'](['systemd-analyze', 'calendar', calendar], python_shell=false, ignore_retcode=true) %}
{{ raise('saltroni:backup:%s is %r: systemd does not understand it, see man systemd.time; for example Sun 03:00' % (setting, calendar)) }}
{%- endif %}
{%- endfor %}
# Every PostgreSQL node has these units: who does the work is decided when it is due.
{%- for name, calendar in units | dictsort if calendar %}

Describe the {{ name }} on a schedule:
  file.managed:
    - names:
      - {{ folder }}{{ name }}.service:
        - source: salt://backup/files/saltroni-{{ name }}.service.jinja
      - {{ folder }}{{ name }}.timer:
        - source: salt://backup/files/timer.jinja
    - template: jinja
    - context:
        what: {{ name }}
        calendar: {{ calendar | json }}
    - user: root
    - group: root
    - mode: '0644'

Make systemd read the units of the {{ name }} anew:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: Describe the {{ name }} on a schedule

Do the {{ name }} on a schedule:
  service.running:
    - name: saltroni-{{ name }}.timer
    - enable: true
    - require:
      - file: Tell the programs on this node of backups
      - file: Bring the commands that archive and restore
      - module: Make systemd read the units of the {{ name }} anew
    - watch:
      - file: {{ folder }}{{ name }}.timer
{%- endfor %}
{%- if not units['proof'] and salt['file.file_exists'](folder ~ 'proof.timer') %}

Do no proof on a schedule:
  service.dead:
    - name: saltroni-proof.timer
    - enable: false

Forget when proofs were done:
  file.absent:
    - names:
      - {{ folder }}proof.timer
      - {{ folder }}proof.service
    - require:
      - service: Do no proof on a schedule
{%- endif %}
