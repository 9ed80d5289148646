"""Saltroni's logic: plain Python that knows nothing of Salt and is tested by itself."""
