"""Which timings are refused. What those in force promise: :mod:`saltroni.failover.promise`.

Sources: Patroni's documentation, *Patroni configuration: dynamic configuration* (``ttl >= 20``, ``loop_wait >= 1``,
``retry_timeout >= 3``, ``loop_wait + 2 * retry_timeout <= ttl``, otherwise Patroni changes the values and only logs it);
HAProxy's configuration manual, section 5.2 (``inter``, ``fastinter``, ``downinter``, ``rise``, ``fall``) and
``timeout check``.
"""

#: From a server that is marked down until its sessions are ended (salt/haproxy/files/end-sessions.lua): a moment, two looks.
ENDED_MS = 500


def release_s(haproxy):
    """Longest time (seconds) until HAProxy lets go of a leader that doesn't answer any more."""
    fall_ms = haproxy["fall"] * (haproxy["timeout_check_ms"] + haproxy["fastinter_ms"])
    return (haproxy["inter_ms"] + fall_ms + ENDED_MS) / 1000


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
                f"inter + fall x (timeout check + fastinter) + {ENDED_MS / 1000:g} s must be less than ttl - loop_wait "
                f"({ttl - loop_wait} s): a frozen leader would still get writes after another was promoted",
            )
        )
    return found
