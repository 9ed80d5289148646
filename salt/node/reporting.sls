{%- set roles = pillar['saltroni']['self']['roles'] %}
# What this node has to tell waits here until the master has it. Patroni writes here, too.
{%- if 'patroni' not in roles %}
Create the spool for the report:
  file.directory:
    - name: /var/spool/saltroni
    - user: root
    - group: root
    - mode: '0700'
{%- endif %}

# The minion reads this when it starts, salt-call each time. Nothing here restarts the minion in the middle of its run.
{%- if salt['config.get']('return', '') in ('', 'saltroni_spool') %}

Keep state runs for the report:
  file.managed:
    - name: /etc/salt/minion.d/saltroni-generated.conf
    - contents: |
        # Managed by Salt; the minion reads it when it starts.
        return: saltroni_spool
    - user: root
    - group: root
    - mode: '0644'
{%- endif %}
