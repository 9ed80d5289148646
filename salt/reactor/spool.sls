#!jinja|json
{"Collect from the spool": {"runner.report.collect": [{"args": {"node": {{ data['data']['node'] | string | json }} } } ] } }
