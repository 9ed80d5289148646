#!jinja|json
{%- if data.get('fun') in ('state.apply', 'state.highstate', 'state.sls', 'state.sls_id') %}
{"Record a state run": {"runner.report.record": [{"args": {
  "tag": {{ tag | json }},
  "data": {{ data | json }}
} } ] } }
{%- else %}
{}
{%- endif %}
