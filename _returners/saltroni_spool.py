"""Keeps state runs that failed, until the master has recorded them: it may be away when one ends.

Configured by the state ``node.reporting``: ``return: saltroni_spool`` in the minion's configuration.
"""

import logging

import saltroni.report.state_run
import saltroni.spool.files

LOG = logging.getLogger(__name__)


def returner(ret):
    """Keep the return of a state run with a failure; anything else is none of our business.

    ret
        a job's return
    """
    if ret.get("fun") not in saltroni.report.state_run.FUNCTIONS:
        return
    try:
        run = saltroni.report.state_run.compact(ret["fun"], ret.get("fun_args"), ret.get("return"), ret.get("retcode"))
        if saltroni.report.state_run.failed(run) and not run["dry"]:
            run["jid"] = str(ret["jid"])
            folder = __opts__.get("saltroni_spool", saltroni.spool.files.FOLDER)
            saltroni.spool.files.put("states/applied", run, identity=f"run-{ret['jid']}", folder=folder)
    except Exception:
        # Salt drops what a returner raises: the log is the only place where anybody would hear of it
        LOG.exception("the state run's failure could not be kept for the report")
