"""etcd: its command, its gateway, its members and its users."""
