"""REPORT.md: facts drawn from recorded events and the cluster's model, and the page made of them.

runs       state runs: who changed what, how long it took
problems   what failed, and what solved it
drills     what each drill showed
cluster    topology, versions, settings, security
overview   what to read first
markdown   text from others, made harmless
page       all of it as one page
writing    the page on disk
"""
