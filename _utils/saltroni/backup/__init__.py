"""Backups of the cluster and its archive of WAL, by WAL-G or pgBackRest.

Run by Debian's own Python as user postgres (``python3 -m saltroni.backup``), and imported under Salt: standard library
only. What needs etcd or Salt (:mod:`saltroni.backup.lock`) is imported by Salt's modules alone.
"""
