"""Runs a tool with a deadline, and says by what it failed."""
