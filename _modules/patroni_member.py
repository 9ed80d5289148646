"""This node's Patroni, for states.

:depends: requests
"""

from salt.exceptions import CommandExecutionError

import saltroni.patroni.member
import saltroni.patroni.rest
import saltroni.restore.hold
import saltroni.wait


def whole():
    """Whether this node is the leader or follows it: ``{whole, sentence}``.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.whole
    """
    answer, sentence = saltroni.patroni.member.look(__pillar__["saltroni"])
    return {"whole": answer, "sentence": sentence}


def held():
    """Whether a restore keeps this node's Patroni from starting.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.held
    """
    return saltroni.restore.hold.held()


def wait(deadline_s):
    """Wait up to ``deadline_s`` seconds until this node is whole: ``{whole, sentence, waited_s, etcd_silent}``.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.wait 60
    """
    model = __pillar__["saltroni"]
    answer, sentence, waited_s = saltroni.patroni.member.wait_whole(model, deadline_s)
    silent = [] if answer else saltroni.patroni.member.etcd_silent(model)
    return {"whole": answer, "sentence": sentence, "waited_s": waited_s, "etcd_silent": silent}


def orphaned_wal():
    """The folder of this node's WAL if the data that it belongs to is gone.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.orphaned_wal
    """
    return saltroni.patroni.member.orphaned_wal(__pillar__["saltroni"]["folders"])


def etcd_silent():
    """Members of etcd that are silent, if so many are that it can have no quorum; else an empty list.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.etcd_silent
    """
    return saltroni.patroni.member.etcd_silent(__pillar__["saltroni"])


def config_differences():
    """What the cluster-wide settings lack, as Patroni's ``PATCH /config`` takes it.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.config_differences
    """
    model = __pillar__["saltroni"]
    try:
        present = saltroni.patroni.member.agreed(model, model["deadlines"]["quorum_s"])
    except saltroni.wait.DeadlineError as err:
        raise CommandExecutionError(str(err)) from err
    return saltroni.patroni.member.differences(model["dcs"], present)


def config_change(patch):
    """Send ``patch`` to the cluster-wide settings, and wait until they say what the pillar says.

    CLI Example:

    .. code-block:: bash

        salt-call patroni_member.config_change '{"ttl": 20}'
    """
    model = __pillar__["saltroni"]
    try:
        saltroni.patroni.rest.Member(model, model["self"]["name"]).configure(patch, model["deadlines"]["quorum_s"])
        saltroni.patroni.member.taken(model, model["deadlines"]["quorum_s"])
    except (saltroni.patroni.rest.RestError, saltroni.wait.DeadlineError) as err:
        raise CommandExecutionError(str(err)) from err
