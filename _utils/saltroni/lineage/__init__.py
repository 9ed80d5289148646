"""Is this member's data part of the leader's history? Asked by a small service on each PostgreSQL node.

Two members that are promoted one after the other, the second without knowing the first, begin the same timeline
number. Patroni takes equal numbers for equal histories (4.0, ``rewind.py``, ``_check_timeline_and_lsn``): when the
first returns, it isn't rewound, is listed as streaming with lag 0, votes, and may be promoted.

The proof used here: the last checkpoint in a member's control file is a record of the write-ahead log. It is asked of
the leader, by the replication protocol and the account that replication has anyway. A leader whose log holds
something else at that place has another history.

Run by Debian's own Python as user postgres (``python3 -m saltroni.lineage``): nothing here needs Salt.
"""
