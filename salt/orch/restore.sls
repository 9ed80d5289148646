# The whole cluster, brought back to a moment:
#   salt-run state.orchestrate orch.restore pillar='{"restore": {"time": "2026-11-25 10:00:00+00:00"}}'
# The plan comes first (salt-run restore.plan shows it alone). Interrupted, the same call goes on; salt-run restore.back undoes
# it. What each step does: docs/backups.md.
{%- set asked = pillar.get('restore', {}) %}
{%- set steps = [
  ('mark', 'Say that a restore goes on'),
  ('seal', 'Have the leader archive what it has'),
  ('fetch', 'Fetch the base backup beside the present data'),
  ('recover', 'Recover it to the moment'),
  ('stop', 'Stop the cluster'),
  ('push', 'Archive what the members kept'),
  ('promote', 'Begin a new timeline'),
  ('swap', 'Set the old data aside'),
  ('hand_over', 'Forget who led before'),
  ('lead', 'Bring back the leader'),
  ('accounts', 'Set the accounts as the pillar wants them'),
  ('backup', 'Make a base backup of the new timeline'),
  ('replicas', 'Rebuild the replicas'),
  ('check', 'See that a row reaches every member'),
  ('finish', 'Say that the restore is over'),
] %}
Plan the restore:
  salt.runner:
    - name: restore.begin
    - kwarg: {{ asked | json }}
{%- for step, sentence in steps %}

{{ sentence }}:
  salt.runner:
    - name: restore.step
    - kwarg:
        name: {{ step }}
{%- if asked.get('cluster') %}
        cluster: {{ asked['cluster'] }}
{%- endif %}
    - require:
      - salt: {{ 'Plan the restore' if loop.first else steps[loop.index0 - 1][1] }}
{%- endfor %}
