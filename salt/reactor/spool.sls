#!py
"""A node has rung: what lies in its mine is collected. (Python costs the master a tenth of what Jinja does.)"""


def run():
    return {"Collect from the spool": {"runner.report.collect": [{"args": {"node": str(data["data"]["node"])}}]}}
