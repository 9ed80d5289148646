"""How long a fault lasts whose end is that of the leader's lease."""


def outlasts_s(model):
    """Longer than the lease (seconds): the others must have taken over, and been seen by everybody."""
    return over_s(model) + 10


def over_s(model):
    """The lease has run out (seconds), the others have noticed within a round, and asked a silent member for 2 s."""
    return float(model["timings"]["ttl_s"] + 2 * model["timings"]["loop_wait_s"] + 3)
