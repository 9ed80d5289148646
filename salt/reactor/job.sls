#!py
"""A job has returned: a state run is recorded, until the node tells its own."""

RUNS = ("state.apply", "state.highstate", "state.sls", "state.sls_id")


def run():
    if data.get("fun") not in RUNS:
        return {}
    return {"Record a state run": {"runner.report.record": [{"args": {"tag": tag, "data": data}}]}}
