"""What this node does in a restore of the whole cluster. Called by ``orch.restore`` through the runner ``restore``, not by hand.

Everything can be called again. Functions return dicts; they raise CommandExecutionError with what is wrong.

:depends: psycopg, requests
"""

import functools
from datetime import UTC, datetime

from salt.exceptions import CommandExecutionError

import saltroni.backup.marker
import saltroni.backup.settings
import saltroni.backup.target
import saltroni.drill.busy
import saltroni.drill.database
import saltroni.etcd.gateway
import saltroni.patroni.rest
import saltroni.pillar.told
import saltroni.restore.accounts
import saltroni.restore.check
import saltroni.restore.dcs
import saltroni.restore.node
import saltroni.wait
from saltroni.backup.failure import Failure

ERRORS = (
    Failure,
    OSError,
    saltroni.backup.settings.SettingsError,
    saltroni.backup.target.Unclear,
    saltroni.drill.database.DatabaseError,
    saltroni.etcd.gateway.EtcdHttpError,
    saltroni.patroni.rest.RestError,
    saltroni.pillar.told.NotTold,
    saltroni.restore.check.NotWhole,
    saltroni.wait.DeadlineError,
)
ARCHIVED_S = 120
WHOLE_S = 240


def _translated(function):
    @functools.wraps(function)
    def call(*arguments, **named):
        try:
            return function(*arguments, **named)
        except ERRORS as err:
            raise CommandExecutionError(str(err)) from err

    return call


def _model():
    return saltroni.pillar.told.model(__pillar__)


def _node(source=None):
    return saltroni.restore.node.Node(_model(), source)


@_translated
def look():
    """What is on this node: data, what runs, free space, what earlier restores kept.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.look
    """
    model = _model()
    return {**_node().look(), "runs": saltroni.drill.busy.running(model)}


@_translated
def survey(target, source=None, after=None):
    """What the archive has for a target: windows, the base backup, the timeline, or reasons why there is none.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.survey '{"latest": true}'
    """
    early = datetime.fromisoformat(after).astimezone(UTC) if after else None
    return _node(source).survey(saltroni.backup.target.parse(target), early)


@_translated
def mark(restore, words):
    """Say in etcd that a restore goes on: no drill and no proof begins meanwhile.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.mark 20261125T101112Z 'time 2026-11-25 10:00:00+00:00'
    """
    saltroni.restore.dcs.mark(_model(), f"restore {restore} to {words}")
    return {"marked": restore}


@_translated
def unmark(restore):
    """Say that it is over.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.unmark 20261125T101112Z
    """
    saltroni.restore.dcs.unmark(_model())
    return {"unmarked": restore}


@_translated
def seal(restore):
    """Have the leader write a row and archive the segment that holds it; what hinders that hinders no restore.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.seal 20261125T101112Z
    """
    model = _model()
    try:
        leader = saltroni.patroni.rest.leader(saltroni.patroni.rest.ask_any(model, "/cluster"))
        if leader is None:
            return {"sealed": False, "why": "nobody leads"}
        done = saltroni.backup.marker.write(model, leader, f"restore {restore}", "a restore", ARCHIVED_S)
    except (Failure, saltroni.patroni.rest.RestError) as err:
        return {"sealed": False, "why": str(err)}
    return {"sealed": True, **done}


@_translated
def fetch(restore, backup, source=None):
    """Fetch the base backup into a folder beside the data directory.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.fetch 20261125T101112Z base_000000010000000000000004
    """
    return _node(source).fetch(restore, backup)


@_translated
def recover(restore, backup, target, timeline, source=None):
    """Replay what was fetched up to the target, and stop there.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.recover 20261125T101112Z base_000000010000000000000004 '{"lsn": "0/5000060"}' 1
    """
    return _node(source).recover(restore, backup, target, timeline)


@_translated
def hold(restore):
    """Keep Patroni from starting here, whoever asks.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.hold 20261125T101112Z
    """
    return _node().hold(restore)


@_translated
def stop(restore):
    """Stop Patroni and PostgreSQL in order, and keep them from starting.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.stop 20261125T101112Z
    """
    return _node().stop(restore)


@_translated
def push(restore):
    """Archive what this stopped member kept for it.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.push 20261125T101112Z
    """
    return _node().push(restore)


@_translated
def promote(restore, backup, target, timeline, source=None):
    """Make what was recovered a leader's on a new timeline, stopped in order, and archive that timeline's beginning.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.promote 20261125T101112Z base_000000010000000000000004 '{"lsn": "0/5000060"}' 1
    """
    return _node(source).promote(restore, backup, target, timeline)


@_translated
def swap(restore, keep=True, leads=False):
    """Set the old data aside; where this node will lead, put the restored ones in their place.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.swap 20261125T101112Z leads=True
    """
    return _node().swap(restore, keep, leads)


@_translated
def forget_leader(system_id):
    """Forget in etcd who led and how far that was. Refused while somebody leads.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.forget_leader 7448721233445566778
    """
    return _node().forget_leader(system_id)


@_translated
def start(deadline_s):
    """Start Patroni, and wait until this node is a whole member.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.start 300
    """
    return _node().start(deadline_s)


@_translated
def accounts():
    """Have this leader's accounts say what the pillar says: they may have been others at the moment that was restored.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.accounts
    """
    done = saltroni.restore.accounts.reset(_model(), saltroni.backup.settings.load())
    return {"passwords": done, "made": __salt__["patroni_sql.make"]() or []}


@_translated
def backup():
    """A full base backup of this node, on the new timeline.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.backup
    """
    return __salt__["walg.backup"](full=True, here=True)


@_translated
def check(restore, members):
    """Write through the load balancer, and wait until every member has it.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.check 20261125T101112Z '[pg1, pg2, pg3]'
    """
    return saltroni.restore.check.check(_model(), restore, members, WHOLE_S)


@_translated
def drop(restore):
    """Remove what was prepared and isn't in place.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.drop 20261125T101112Z
    """
    return _node().drop(restore)


@_translated
def put_back(restore):
    """Bring the old data back; what was restored is kept beside them.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.put_back 20261125T101112Z
    """
    return _node().put_back(restore)


@_translated
def lead_again(restore):
    """Give the old data a timeline that is later than all that the archive knows.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.lead_again 20261125T101112Z
    """
    return _node().lead_again(restore)


@_translated
def forget(restore):
    """Remove what a restore kept on this node. Returns the folders that are gone.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_restore.forget 20261125T101112Z
    """
    return _node().forget(restore)
