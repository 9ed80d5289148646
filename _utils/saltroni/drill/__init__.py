"""A failover drill: its course, the writers, what they were told, and what came of it."""
