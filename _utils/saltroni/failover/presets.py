"""Sets of timings to choose from, as ``saltroni:preset`` names them. What a user sets himself counts more.

``fast`` is for nodes in one network whose etcd has disks of its own; ``wide`` for nodes far apart or often overloaded,
where a short silence must not move the leader. All keep Patroni's rules and let HAProxy go before the lease ends
(:mod:`saltroni.pillar.timings`).
"""

PRESETS = {
    "fast": {
        "timings": {"ttl_s": 20, "loop_wait_s": 1, "retry_timeout_s": 3, "primary_start_timeout_s": 0},
        "haproxy": {
            "inter_ms": 500, "fastinter_ms": 100, "downinter_ms": 100, "rise": 1, "fall": 2,
            "timeout_check_ms": 1000, "timeout_connect_ms": 1000,
        },
    },
    "default": {
        "timings": {"ttl_s": 20, "loop_wait_s": 1, "retry_timeout_s": 5, "primary_start_timeout_s": 0},
        "haproxy": {
            "inter_ms": 500, "fastinter_ms": 250, "downinter_ms": 250, "rise": 1, "fall": 2,
            "timeout_check_ms": 2000, "timeout_connect_ms": 1000,
        },
    },
    "wide": {
        "timings": {"ttl_s": 45, "loop_wait_s": 5, "retry_timeout_s": 15, "primary_start_timeout_s": 0},
        "haproxy": {
            "inter_ms": 2000, "fastinter_ms": 1000, "downinter_ms": 1000, "rise": 2, "fall": 3,
            "timeout_check_ms": 5000, "timeout_connect_ms": 3000,
        },
    },
}  # fmt: skip


def applied(settings):
    """``settings`` with the chosen preset's values where the user set none."""
    preset = PRESETS.get(settings.get("preset", "default"), {})
    filled = dict(settings)
    for part, values in preset.items():
        own = settings.get(part)
        if own is None or isinstance(own, dict):
            filled[part] = {**values, **(own or {})}
    return filled
