"""Whether a drill is passed. Pure."""


def reasons(result):
    """Why it failed, as sentences; empty when it passed.

    Args:
        result: a drill's figures, see :mod:`saltroni.drill.course`.
    """
    found = []
    bound_s = result["bound_s"]
    if not result["came_back"]:
        found.append(f"writes didn't come back within {result['outage_s']:g} s")
    elif bound_s is not None and result["outage_s"] > bound_s:
        found.append(f"writes were out for {result['outage_s']:g} s, {bound_s:g} s was promised")
    if not result["checked"]:
        found.append("what was acknowledged couldn't be compared with what is there: no leader answers")
    elif result["lost"] and not result.get("may_lose"):
        found.append(f"{result['lost']} of {result['acknowledged']} acknowledged rows are lost")
    if result.get("duplicated"):
        found.append(f"{result['duplicated']} rows are there more than once")
    if result.get("refused_but_present"):
        found.append(f"{result['refused_but_present']} rows are there that were refused")
    if result.get("reads_backwards"):
        found.append(f"{result['reads_backwards']} reads went backwards: {result['bad_reads'][0]}")
    if result.get("stale_reads"):
        found.append(f"{result['stale_reads']} reads were staler than is promised: {result['bad_reads'][-1]}")
    both = result.get("overlap")
    if both and both["rows"] and result.get("overlap_forbidden"):
        found.append(
            f"two members took writes at once: {both['rows']} rows in {both['lasted_s']:g} s on the old leader"
        )
    if both and not both["direct_rows"]:
        found.append("whether two members took writes at once wasn't seen: nobody could write to the old leader itself")
    if not result["whole"]:
        found.append("the cluster didn't become whole: " + "; ".join(result["missing"]))
    if result["lock_lost"]:
        found.append(f"{result['lock_lost']}: another drill may have disturbed this one")
    return found
