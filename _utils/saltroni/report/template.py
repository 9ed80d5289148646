"""The page's template, in Jinja2. A Python file, since Salt carries nothing else to where this is imported from."""

TEMPLATE = r"""
# High availability of PostgreSQL: the report of cluster {{ model.cluster }}

{% if log.events %}
Written by Saltroni from {{ log.events | length | count('recorded event') }}, {{ log.events[0].time | when }} to {{ log.events[-1].time | when }}. All times are UTC.
{% else %}
Written by Saltroni at {{ now | when }} UTC. Nothing has been recorded yet: apply the state (`salt '*' state.apply`).
{% endif %}

## Summary

{% if warnings %}
**Open now:**

{% for warning in warnings %}
- {{ warning }}
{% endfor %}
{% elif log.events %}
**Nothing is open:** no failed state, no failed drill, no unsolved problem.
{% endif %}

{% if proofs %}
**Shown so far:**

{% for proof in proofs %}
- {{ proof }}
{% endfor %}
{% endif %}

## The cluster

```mermaid
flowchart TB
    clients(["applications"])
    subgraph balancers ["HAProxy: sends writes to the leader"]
        direction TB
{% for name in model.by_role.haproxy %}
        {{ 'lb%d' % loop.index }}["{{ name | label }}<br/>{{ model.nodes[name].address | label }}"]
{% endfor %}
    end
    subgraph databases ["PostgreSQL {{ model.postgresql.version }}, managed by Patroni"]
        direction TB
{% for name in model.by_role.patroni %}
        {{ 'pg%d' % loop.index }}[("{{ name | label }}<br/>{{ model.nodes[name].address | label }}")]
{% endfor %}
    end
    subgraph consensus ["etcd: who leads"]
        direction TB
{% for name in model.by_role.etcd %}
        {{ 'etcd%d' % loop.index }}["{{ name | label }}<br/>{{ model.nodes[name].address | label }}"]
{% endfor %}
    end
    clients --> balancers
    balancers -->|"port {{ model.haproxy.ports.leader }}: leader, {{ model.haproxy.ports.replicas }}: replicas, {{ model.haproxy.ports.synchronous }}: synchronous"| databases
    databases <-->|"the leader's lease"| consensus
```

| Node | Address | What it does | Memory | Latest state run | Result |
|---|---|---|---:|---|---|
{% for node in nodes %}
| {{ node.name | plain }} | {{ node.address }} | {{ node.roles | join('; ') }} | {{ node.memory_mb | number }} MiB | {% if node.applied %}run {{ node.applied.run }}, {{ node.applied.time | when }}{% else %}none{% endif %} | {% if not node.applied %}–{% elif node.applied.error %}could not begin{% elif node.applied.failed %}{{ node.applied.failed }} failed{% else %}{{ node.applied.states | count('state') }}, all well{% endif %} |
{% endfor %}
{% if versions %}

| Installed | Version | On |
|---|---|---|
{% for program, version, where in versions %}
| {{ program | plain }} | {{ version | plain }} | {{ where | names | plain }} |
{% endfor %}
{% endif %}

## How it was deployed

{% if not runs %}
No state run has been recorded.
{% else %}
Every state run that a node reported, in order. A state declares what must be true of a node; it counts as changed when it had
to make it true. The seconds of a run are those of its slowest node.

| Run | When | Command | Nodes | States | Changed | Failed | Seconds |
|---:|---|---|---|---:|---:|---:|---:|
{% for run in runs %}
| {{ run.number }} | {{ run.began | when }} | {{ run.command | code }} | {{ run.nodes | map(attribute='node') | names(model.nodes) | plain }} | {{ run.states }} | {{ 'no change' if run.unchanged else run.changed }} | {{ run.failed or ('could not begin' if run.broken else 0) }} | {{ run.seconds | number }} |
{% endfor %}

{% for run in shown %}
### Run {{ run.number }}: {{ run.command | plain }} on {{ run.nodes | map(attribute='node') | names(model.nodes) | plain }}, {{ run.began | when }}

{% if run.dry %}
A dry run: it tells what would change and changes nothing.

{% endif %}
| Node | States | Changed | Failed | Seconds |
|---|---:|---:|---:|---:|
{% for node in run.nodes %}
| {{ node.node | plain }} | {{ node.states }} | {{ node.changed }} | {{ 'could not begin' if node.error else node.failed }} | {{ node.seconds | number }} |
{% endfor %}

{% if run.steps %}
{% set long = run.steps | length > 12 %}
{% if long %}
<details><summary>{{ run.steps | length | count('step') }} that changed something</summary>

{% endif %}
| Step | What was done | On | What changed | Seconds |
|---:|---|---|---|---:|
{% for step in run.steps %}
| {{ loop.index }} | {{ step.id | plain }}{{ ' (**failed** on %s)' % (step.failed | names | plain) if step.failed }} | {{ step.nodes | names | plain }} | {{ step.what[:3] | map('plain') | join('<br>') }}{{ '<br>and %d more' % (step.what | length - 3) if step.what | length > 3 }} | {{ step.longest | brief }} |
{% endfor %}
{% if long %}

</details>
{% endif %}

{% endif %}
{% endfor %}
{% endif %}
## Problems met, and how each was solved

{% for problem in problems %}
### {{ problem.id }}: {{ problem.title | plain }}{{ '' if problem.solved else ' (open)' }}

{% if problem.kind == 'note' %}
Noted by a person, {{ problem.met | when }}.
{% else %}
Met {{ problem.met | when }}{{ ' on %s' % (problem.nodes | names | plain) if problem.nodes }}{{ ' in run %d' % problem.run if problem.run }}{{ ', %d times' % problem.times if problem.times > 1 }}.{{ ' It held back %s that needed it.' % (problem.held | length | count('other state')) if problem.held }}
{% endif %}

{% if problem.said %}
{{ problem.said | block }}

{% endif %}
{% for explanation in problem.explanations %}
**Explanation:** {{ explanation.text | plain }}

{% endfor %}
{% if problem.solved %}
**Solved{% if problem.kind != 'note' %} {{ problem.solved | when }}{{ ' in run %d' % problem.solved_run if problem.solved_run }}{% endif %}:** {{ problem.how | plain }}{{ '' if (problem.how | string).endswith('.') else '.' }}
{% else %}
**Not solved yet.**{{ ' Still open on %s.' % (problem.still | names | plain) if problem.still }}
{% endif %}

{% else %}
No state failed, no drill failed, and nobody noted a problem.

{% endfor %}
## Failover drills

{% if not drills %}
No drill has been recorded. A drill makes a real fault on the real leader: `salt-call patroni.failover_test`.

{% else %}
In a drill several clients write through a load balancer, a real fault hits the leader, and the clients go on until writes flow
again. The outage is the longest time that one client waited between two acknowledged commits. The bound is what the settings in
force promise at most. A row that was acknowledged and is not there afterwards is lost.

| Fault | Drills | Passed | Least outage | Median | Greatest | Bound | Rows lost of acknowledged |
|---|---:|---:|---:|---:|---:|---:|---:|
{% for row in faults %}
| {{ row.fault | plain }} | {{ row.drills }} | {{ row.passed }} | {{ row.least | seconds }} | {{ row.median | seconds }} | {{ row.greatest | seconds }} | {{ row.bounds | map('seconds') | join(', ') or '–' }} | {{ row.lost }} of {{ row.acknowledged | number }} |
{% endfor %}

{% if drills | length > drills_shown | length %}
The latest {{ drills_shown | length }} in full:

{% endif %}
{% for drill in drills_shown %}
### {{ drill.time | when }}: {{ drill.fault | plain }}, {{ 'passed' if drill.passed else ('broken off' if drill.broken_off else 'NOT passed') }}

{% if drill.what %}
{{ drill.what | plain }}

{% endif %}
{% for reason in drill.reasons %}
- **Not passed:** {{ reason | plain }}
{% endfor %}
{% if drill.reasons %}

{% endif %}
{% if not drill.broken_off %}
| | |
|---|---|
| Leader | {{ (drill.old_leader or '–') | plain }} before, {{ (drill.new_leader or '–') | plain }} after |
| Timeline | {{ drill.timeline_before | number }} before, {{ drill.timeline_after | number }} after |
| Outage of writes | **{{ drill.outage_s | seconds }}**{{ ', bound %s' % (drill.bound_s | seconds) if drill.bound_s is not none }}{% if drill.terms %} ({% for name, value in drill.terms %}{{ name | plain }} {{ value | seconds }}{{ ' + ' if not loop.last }}{% endfor %}){% endif %} |
| Until any client got through | {{ drill.outage_of_all_s | seconds }} |
| Acknowledged rows | {{ drill.acknowledged | number }}, **{{ drill.lost | number }} lost**, {{ drill.duplicated | number }} there twice, {{ drill.damaged | number }} damaged |
{% if drill.lost_rows %}
| Lost rows (writer/number) | {{ drill.lost_rows | join(', ') | plain }} |
{% endif %}
| Without an answer | {% if drill.unknown %}{{ drill.unknown.present | number }} are there, {{ drill.unknown.absent | number }} are not{% else %}–{% endif %} |
| Refused | {{ drill.refused | number }} |
| Cluster whole again | {{ 'after %s' % (drill.time_to_whole_s | seconds) if drill.time_to_whole_s is not none else 'no' }} |
| Load | {{ drill.writers | number }} clients, {{ drill.commits_per_s | number }} commits a second through {{ (drill.load_balancer or '–') | plain }}, replication {{ (drill.replication or '–') | plain }} |

| Seconds after the fault | What happened |
|---:|---|
{% for words, value in drill.phases %}
| {{ '%.2f' % value if value is not none else 'not seen' }} | {{ words }} |
{% endfor %}
| {{ '%.1f' % drill.time_to_whole_s if drill.time_to_whole_s is not none else 'not seen' }} | every member has replayed the marker row and holds the same rows as the leader |
{% if drill.errors %}

<details><summary>What the clients were told meanwhile</summary>

| Times | Error |
|---:|---|
{% for text, times in drill.errors %}
| {{ times | number }} | {{ text | plain }} |
{% endfor %}

</details>
{% endif %}
{% endif %}

{% endfor %}
{% endif %}
## Settings that matter

Replication is {{ replication }}.

| Setting | Value | What it decides |
|---|---:|---|
| ttl | {{ model.timings.ttl_s }} s | how long the leader's lease lives without being renewed |
| loop_wait | {{ model.timings.loop_wait_s }} s | how often Patroni looks |
| retry_timeout | {{ model.timings.retry_timeout_s }} s | how long Patroni retries etcd and PostgreSQL before it gives up leadership |
| primary_start_timeout | {{ model.dcs.primary_start_timeout }} s | how long a crashed leader may recover before another one takes over |
| maximum_lag_on_failover | {{ (model.timings.maximum_lag_on_failover_bytes / 1048576) | number(2) }} MiB | how far behind a replica may be and still be promoted |
| HAProxy inter, fastinter, downinter | {{ model.haproxy.inter_ms }}, {{ model.haproxy.fastinter_ms }}, {{ model.haproxy.downinter_ms }} ms | time between health checks: normal, while a server changes, while it is down |
| HAProxy rise, fall | {{ model.haproxy.rise }}, {{ model.haproxy.fall }} | checks until a server counts as up, as down |
| HAProxy timeout check | {{ model.haproxy.timeout_check_ms }} ms | how long a health check may take |
| etcd heartbeat, election | {{ model.etcd.heartbeat_ms }}, {{ model.etcd.election_ms }} ms | how often etcd's leader shows life, and after what silence another is elected |
| Patroni's watchdog | {{ model.patroni.watchdog }} | what resets a leader that hangs |

HAProxy must let go of a frozen leader before another one may be promoted, else both would get writes:

    inter + fall x (timeout check + fastinter)  <  ttl - loop_wait
    {{ release.inter_s | number(3) }} + {{ release.fall }} x ({{ release.check_s | number(3) }} + {{ release.fastinter_s | number(3) }}) = {{ release.released_s | number(3) }} s  {{ '<' if release.holds else 'is NOT less than' }}  {{ release.ttl_s }} - {{ release.loop_wait_s }} = {{ release.limit_s }} s

What each fault may cost in write outage, at most, by these settings:

| Fault | What it does | At most | Of which |
|---|---|---|---|
{% for fault, bound in bounds.items() %}
| `{{ fault }}` | {{ bound.what | plain }} | {{ bound.bound_s | seconds }} | {% for name, value in bound.terms.items() %}{{ name }} {{ value | seconds }}{{ ', ' if not loop.last }}{% endfor %} |
{% endfor %}

## Security measures in force

A measure counts on a node when the node's latest state run, which applies it, ended without a failure.

| Measure | Applied on |
|---|---|
{% for measure, done, where in security %}
| {{ measure }} | {{ (done | names(model.nodes) | plain) if done else 'none' }}{{ ' (of %s)' % (where | length | count('node')) if done | length < where | length }} |
{% endfor %}

## How the figures were made

- State runs are what the nodes returned to the Salt master; seconds are the states' own durations.
- Drills are timed on the node that calls them, by the writers' own acknowledgements and a monotonic clock, not by when an event
  reached the master.
- Each event is kept once, by its id, and sorted by the time at which it happened.{{ ' %s left half written by a crash and set aside.' % (log.torn | count('line was', 'lines were')) if log.torn }}
- The page is written anew after each event (`salt-run report.write` does it by hand); nothing in it is edited by hand. What a person
  adds by `report.problem` and `report.explain` is marked as such.
"""
