"""A whole cluster brought back to a moment: planned and led by the master, done step by step on the nodes.

Why the data are recovered by a private server and handed over to Patroni, rather than by Patroni's custom bootstrap:
docs/backups.md, "How a restore works".
"""
