{#- none by default; salt-run drill.schedule tells when the next one is #}
{%- set s = pillar['saltroni'] %}
{%- set unit = 'saltroni-drills-' ~ s['cluster'] %}
{%- set calendar = s['drills']['schedule']['calendar'] %}
{%- if calendar %}
{%- if salt['cmd.which']('systemd-analyze') and salt['cmd.retcode'](['systemd-analyze', 'calendar', calendar], python_shell=false, ignore_retcode=true) %}
{{ raise('saltroni:drills:schedule:calendar is %r: systemd does not understand it, see man systemd.time; for example Sun 03:00' % calendar) }}
{%- endif %}
Describe the drills on a schedule:
  file.managed:
    - name: /etc/systemd/system/{{ unit }}.service
    - source: salt://master/files/drills.service.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'

Say when drills are done:
  file.managed:
    - name: /etc/systemd/system/{{ unit }}.timer
    - source: salt://master/files/drills.timer.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0644'

Do drills on a schedule:
  service.running:
    - name: {{ unit }}.timer
    - enable: true
    - require:
      - file: Describe the drills on a schedule
    - watch:
      - file: Say when drills are done
{%- else %}
Do no drills on a schedule:
  service.dead:
    - name: {{ unit }}.timer
    - enable: false
    - onlyif:
      - fun: file.file_exists
        path: /etc/systemd/system/{{ unit }}.timer

Forget when drills were done:
  file.absent:
    - names:
      - /etc/systemd/system/{{ unit }}.timer
      - /etc/systemd/system/{{ unit }}.service
    - require:
      - service: Do no drills on a schedule
{%- endif %}
