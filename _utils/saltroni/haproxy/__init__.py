"""HAProxy: its statistics, its runtime API and how many connections it can hold."""
