"""The lease guard: a service on each PostgreSQL node for what Patroni can't see about itself.

``lease`` and ``silence`` decide and are pure; the rest looks, stops, wakes and tells. It runs under the system's Python
with the standard library only and imports nothing of this package but itself and :mod:`saltroni.processes`: it must
work while Salt is away, broken or being upgraded. It can stop a database, never start one.
"""
