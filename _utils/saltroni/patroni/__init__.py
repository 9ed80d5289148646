"""Patroni: its REST API, what it shows, what it is asked to change, and this node as its member."""
