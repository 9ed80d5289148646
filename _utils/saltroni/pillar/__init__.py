"""What a user may say of a cluster, and all that follows from it: settings, bounds, secrets, certificates, accounts."""
