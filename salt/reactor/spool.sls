#!py
"""A node has rung: what lies in its mine is collected. (Python: Jinja costs the master 3 ms more.)"""


def run():
    return {"Collect from the spool": {"runner.report.collect": [{"args": {"node": str(data["data"]["node"])}}]}}
