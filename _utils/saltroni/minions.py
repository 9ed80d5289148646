"""Jobs on minions, begun by the master's runners and waited for by its job cache. Under Salt only."""

import time

import salt.client

from saltroni.drill import errand


class Minions:
    """All that are connected to this master.

    Args:
        conf_file: the master's configuration (``__opts__["conf_file"]``).
    """

    def __init__(self, conf_file):
        self._conf_file = conf_file

    def begin(self, node, function, arguments):
        """Begin a job; its id.

        Raises:
            errand.Lost: the master knows no such minion.
        """
        with salt.client.get_local_client(self._conf_file) as client:
            said = client.run_job(node, function, kwarg=arguments, tgt_type="list")
        if not said or not said.get("jid"):
            raise errand.Lost(f"{function}: the master knows no minion {node}")
        return said["jid"]

    def await_(self, node, job, what, deadline_s):
        """A job's answer, see :func:`saltroni.drill.errand.wait`."""
        with salt.client.get_local_client(self._conf_file) as client:

            def look():
                found = client.get_cache_returns(job).get(node)
                return None if found is None else (found["ret"],)

            def alive():
                said = client.cmd([node], "saltutil.find_job", [job], tgt_type="list", timeout=10)
                return bool(said[node]) if node in said else None

            return errand.wait(look, alive, what, deadline_s, time.monotonic)
