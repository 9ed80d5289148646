"""HAProxy's statistics as rows.

Source: HAProxy's management guide, section 9.1 "CSV format".
"""

import csv
import io

NUMBERS = {"scur": "sessions", "stot": "sessions_total", "chkfail": "checks_failed", "lastchg": "unchanged_s"}


def parse(text):
    """Rows of ``show stat`` or ``/stats;csv`` that are servers.

    Returns:
        list of ``{backend, server, status, up, last_check, sessions, ...}`` in HAProxy's order.

    Raises:
        ValueError: the text isn't HAProxy's statistics.
    """
    text = text.lstrip()
    if not text.startswith("# pxname,svname,"):
        raise ValueError(f"this isn't HAProxy's statistics: {text[:80]!r}")
    rows = []
    for line in csv.DictReader(io.StringIO(text[2:])):
        if line["svname"] in ("FRONTEND", "BACKEND") or not line.get("status"):
            continue
        row = {
            "backend": line["pxname"],
            "server": line["svname"],
            "status": line["status"],
            "up": is_up(line["status"]),
            "last_check": " ".join(filter(None, (line.get("check_status"), line.get("last_chk")))),
            "check_code": line.get("check_code", ""),
        }
        row.update({name: int(line.get(column) or 0) for column, name in NUMBERS.items()})
        rows.append(row)
    return rows


def is_up(status):
    """Whether a server with this status gets new connections: ``UP``, also while it is going down (``UP 1/2``)."""
    return status.startswith("UP") or status == "no check"


def up(rows, backend):
    """Names of the servers of ``backend`` that get connections."""
    return sorted(row["server"] for row in rows if row["backend"] == backend and row["up"])
