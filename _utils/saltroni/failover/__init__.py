"""The failover model: what each fault may cost, by the settings in force. Pure."""
