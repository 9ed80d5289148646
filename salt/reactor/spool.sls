#!py
"""A node has rung: what lies in its mine is collected. (Python: Jinja costs the master 3 ms more.)"""


def run():
    told = {"node": str(data["data"]["node"])}
    reaction = {"runner.report.collect": [{"args": told}]}
    return {"Collect from the spool": reaction}
