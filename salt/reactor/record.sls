#!jinja|json
{"Record what a node tells": {"runner.report.record": [{"args": {
  "tag": {{ tag | json }},
  "data": {{ data | json }}
} } ] } }
