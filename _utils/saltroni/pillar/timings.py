"""The failover model: what the settings in force promise, and which settings are refused.

Sources: Patroni's documentation, *Patroni configuration: dynamic configuration* (``ttl >= 20``, ``loop_wait >= 1``,
``retry_timeout >= 3``, ``loop_wait + 2 * retry_timeout <= ttl``, otherwise Patroni changes the values and only logs it);
HAProxy's configuration manual, section 5.2 (``inter``, ``fastinter``, ``downinter``, ``rise``, ``fall``) and
``timeout check``. Constants below were measured, see docs/failover-model.md.
"""

#: From Patroni's notice of the crash to a writable new leader: release of the key, race, promotion (seconds).
HANDOVER_S = 0.8
#: Connecting and the first commit through the load balancer, retries of the client included (seconds).
RECONNECT_S = 0.4


def release_s(haproxy):
    """Longest time (seconds) until HAProxy marks a leader down that doesn't answer any more."""
    fall_ms = haproxy["fall"] * (haproxy["timeout_check_ms"] + haproxy["fastinter_ms"])
    return (haproxy["inter_ms"] + fall_ms) / 1000


def problems(timings, haproxy):
    """Rules that ``timings`` and ``haproxy`` break, as (path, value, rule) with paths below ``saltroni``."""
    ttl, loop_wait = timings["ttl_s"], timings["loop_wait_s"]
    retry = timings["retry_timeout_s"]
    found = []
    if loop_wait + 2 * retry > ttl:
        found.append(
            (
                "timings",
                f"ttl_s {ttl}, loop_wait_s {loop_wait}, retry_timeout_s {retry}",
                "loop_wait_s + 2 x retry_timeout_s must not exceed ttl_s: Patroni would silently change them",
            )
        )
    released = release_s(haproxy)
    if not released < ttl - loop_wait:
        found.append(
            (
                "haproxy",
                f"inter_ms {haproxy['inter_ms']}, fall {haproxy['fall']}, timeout_check_ms "
                f"{haproxy['timeout_check_ms']}, fastinter_ms {haproxy['fastinter_ms']}: {released:g} s",
                "inter + fall x (timeout check + fastinter) must be less than ttl - loop_wait "
                f"({ttl - loop_wait} s): a frozen leader would still get writes after another was promoted",
            )
        )
    return found


#: A member that wants to be leader asks the others for their position; a silent one costs this long (Patroni's
#: ha.py, fetch_node_status: a fixed timeout of 2 s), in seconds.
SILENT_PEER_S = 2.1


def _bound(haproxy, **first):
    terms = dict(
        {name.replace("_", " "): float(seconds) for name, seconds in first.items()},
        **{
            "lease and promotion": HANDOVER_S,
            "health check": haproxy["rise"] * haproxy["downinter_ms"] / 1000 + 0.2,
            "reconnect": RECONNECT_S,
        },
    )
    return {"terms": terms, "bound_s": round(sum(terms.values()), 3)}


def crash_bound(timings, haproxy, primary_start_timeout_s):
    """The longest write outage that a killed postmaster may cause, with its terms (seconds).

    Holds for a replica that is in step and a client that retries at once.

    Args:
        primary_start_timeout_s: what is in force; for so long the crashed leader may recover in place first.

    Returns:
        ``{"terms": {name: seconds}, "bound_s": seconds}``
    """
    return _bound(haproxy, detection=timings["loop_wait_s"], recovery_in_place=primary_start_timeout_s)


def frozen_bound(timings, haproxy):
    """The same for a leader whose Patroni is frozen: nobody releases its lease, it must end by itself."""
    return _bound(haproxy, lease=timings["ttl_s"], silent_member=SILENT_PEER_S)
