"""PostgreSQL's memory settings: what they are by default and what they may add up to.

Source: PostgreSQL's documentation, *Resource Consumption*: ``shared_buffers`` at a quarter of the memory is a
reasonable start; ``work_mem`` may be used by each sort of each connection, ``maintenance_work_mem`` by each
autovacuum worker.
"""

UNITS_KB = {"": None, "B": 1 / 1024, "kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}
#: What a bare number means, by parameter (kB): 8 kB pages or kB.
BARE_KB = {"shared_buffers": 8}


def kilobytes(name, value):
    """A memory parameter's value in kB: ``kilobytes("work_mem", "4MB") == 4096``.

    Raises:
        ValueError: the value isn't a number with a unit that PostgreSQL knows.
    """
    text = str(value).strip()
    digits = text.rstrip("BkMGT ")
    unit = text[len(digits) :].strip()
    if unit not in UNITS_KB or not digits.strip().isdigit():
        raise ValueError(f"{value!r} is no size: write for example 256MB (units: B, kB, MB, GB, TB)")
    return int(int(digits) * (UNITS_KB[unit] or BARE_KB.get(name, 1)))


def defaults(memory_mb, connections):
    """Memory parameters for a node with ``memory_mb`` MiB and ``connections`` connections at most."""
    work_kb = max(1024, memory_mb * 1024 // 4 // max(connections, 1))
    return {
        "shared_buffers": f"{memory_mb // 4}MB",
        "effective_cache_size": f"{memory_mb * 3 // 4}MB",
        "maintenance_work_mem": f"{min(1024, max(16, memory_mb // 20))}MB",
        "work_mem": f"{min(65536, work_kb)}kB",
    }


def committed_mb(parameters):
    """MiB that PostgreSQL may use at once with ``parameters``."""
    size_kb = {
        name: kilobytes(name, parameters[name]) for name in ("shared_buffers", "work_mem", "maintenance_work_mem")
    }
    return (
        size_kb["shared_buffers"]
        + size_kb["work_mem"] * int(parameters["max_connections"])
        + size_kb["maintenance_work_mem"] * int(parameters["autovacuum_max_workers"])
    ) // 1024
