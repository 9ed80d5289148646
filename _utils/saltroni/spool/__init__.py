"""What a node has to tell the report, kept on the node until the master says that it has it.

files     events on the node's disk
parcel    many events as one argument of a call to the master
sender    from the disk to the master, again and again until it is acknowledged
looking   what a node sees of itself: certificates, watchdog, pending restarts, Patroni's history
"""
