"""What a minion was told: the pillar's ``saltroni``."""


class NotTold(RuntimeError):
    """This minion's pillar knows no cluster."""


def model(pillar):
    """The pillar's ``saltroni``.

    Args:
        pillar: Salt's ``__pillar__`` (``pillar.get`` would give masked values).

    Raises:
        NotTold: there is none; the text says where to look.
    """
    told = pillar.get("saltroni")
    if not told or "self" not in told:
        raise NotTold(
            "this minion's pillar has no cluster: see `salt-run pillar.show_pillar <minion>` on the master, then run "
            "`salt-call saltutil.refresh_pillar` here"
        )
    return told


def names(model, role):
    """The nodes with ``role`` as words: ``pg1, pg2 or pg3``."""
    known = list(model["by_role"][role])
    if len(known) < 2:
        return "".join(known) or f"(no node has role {role})"
    return ", ".join(known[:-1]) + " or " + known[-1]
