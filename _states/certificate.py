"""States for certificates."""


def good(name, certificate):
    """The certificate is the one that the pillar asks for; fails if the CA signed another.

    name
        what the state is called

    certificate
        see :py:func:`certificate.current`
    """
    problem = __salt__["certificate.problem"](certificate)
    result = {"name": name, "result": problem is None, "comment": "it is as it should be", "changes": {}}
    if __opts__["test"] and problem:
        result.update(result=None, comment=f"would be made anew: {problem}")
    elif problem:
        result["comment"] = (
            f"{problem}. The CA's minion signs by the pillar that it remembers: apply the master first "
            "(salt-call state.apply there), then this node again"
        )
    return result
