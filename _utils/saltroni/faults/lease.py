"""How long a fault lasts whose end is that of the leader's lease."""


def noticed_s(ttl_s, loop_wait_s):
    """The lease has run out (seconds), the others have noticed within a round, and asked a silent member for 2 s."""
    return float(ttl_s + 2 * loop_wait_s + 3)


def held_s(ttl_s, loop_wait_s):
    """Longer than the lease (seconds): the others must have taken over, and been seen by everybody."""
    return noticed_s(ttl_s, loop_wait_s) + 10


def over_s(model):
    """:func:`noticed_s` by the pillar's ``saltroni``."""
    return noticed_s(model["timings"]["ttl_s"], model["timings"]["loop_wait_s"])


def outlasts_s(model):
    """:func:`held_s` by the pillar's ``saltroni``."""
    return held_s(model["timings"]["ttl_s"], model["timings"]["loop_wait_s"])
