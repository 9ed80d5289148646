"""Is the cluster well? Facts are gathered, then judged."""
