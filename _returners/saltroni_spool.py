"""Keeps state runs until the master has recorded them. It may be away when one ends; and what comes from here is proven by
the node's key, which Salt's own returns aren't.

Configured by the state ``node.reporting``: ``return: saltroni_spool`` in the minion's configuration.
"""

import logging

import saltroni.report.state_run
import saltroni.spool.files

LOG = logging.getLogger(__name__)


def returner(ret):
    """Keep the return of a state run; anything else is none of our business.

    ret
        a job's return
    """
    if ret.get("fun") not in saltroni.report.state_run.FUNCTIONS:
        return
    try:
        run = saltroni.report.state_run.compact(ret["fun"], ret.get("fun_args"), ret.get("return"), ret.get("retcode"))
        run["jid"] = str(ret["jid"])
        # a minion that was started before it was told of this returner keeps nothing, though salt-call does
        run["by_minion"] = __opts__.get("__cli") != "salt-call"
        folder = __opts__.get("saltroni_spool", saltroni.spool.files.FOLDER)
        saltroni.spool.files.put("states/applied", run, identity=f"run-{ret['jid']}", folder=folder)
    except Exception:
        # Salt drops what a returner raises: the log is the only place where anybody would hear of it
        LOG.exception("the state run could not be kept for the report")
