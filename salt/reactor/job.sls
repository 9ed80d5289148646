#!py
"""A job has returned: a state run is recorded, until the node tells its own."""

RUNS = ("state.apply", "state.highstate", "state.sls", "state.sls_id")


def run():
    if data.get("fun") not in RUNS:
        return {}
    told = {"tag": tag, "data": data}
    reaction = {"runner.report.record": [{"args": told}]}
    return {"Record a state run": reaction}
