"""REPORT.md: facts drawn from recorded events and the cluster's model, and the page made of them.

events     what is recorded, made of what stands on Salt's event bus
state_run  a node's state run, reduced to what is kept
changed    what a state changed, as one line
tidy       what others sent, made safe to keep
store      events on disk
runs       state runs: who changed what, how long it took
problems   what failed, and what solved it
drills     what each drill showed
cluster    topology, versions, settings, security
overview   what to read first
markdown   text from others, made harmless
page       all of it as one page
writing    the page on disk
"""
