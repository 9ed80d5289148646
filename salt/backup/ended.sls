# For a node that made backups before saltroni:backup:enabled was switched off. What is in the archive stays there, and so
# do the settings and keys that restoring from it needs; PostgreSQL archives until it is restarted.
{%- for name in ('backup', 'proof') %}
{%- if salt['file.file_exists']('/etc/systemd/system/saltroni-%s.timer' % name) %}
Do no {{ name }} on a schedule any more:
  service.dead:
    - name: saltroni-{{ name }}.timer
    - enable: false

Forget when the {{ name }} was done:
  file.absent:
    - names:
      - /etc/systemd/system/saltroni-{{ name }}.timer
      - /etc/systemd/system/saltroni-{{ name }}.service
    - require:
      - service: Do no {{ name }} on a schedule any more
{%- endif %}
{%- endfor %}
