"""The page's template, in Jinja2. A Python file, since Salt carries nothing else to where this is imported from.

It holds no words: those are in ``phrases_en`` and ``phrases_ru``.
"""

TEMPLATE = r"""
# {{ say('title', cluster=model.cluster) }}

{% if events %}
{{ say('written_from', events=events | count('event'), first=first | when, last=last | when) }}
{% else %}
{{ say('written_empty', now=now | when) }}
{% endif %}

## {{ say('summary') }}

{% if warnings %}
**{{ say('open_now') }}**

{% for warning in warnings %}
- {{ warning }}
{% endfor %}
{% elif events %}
{{ say('nothing_open') }}
{% endif %}

{% if shown_so_far %}
**{{ say('shown_so_far') }}**

{% for proof in shown_so_far %}
- {{ proof }}
{% endfor %}
{% endif %}

## {{ say('cluster') }}

{{ picture('topology') }}
| {{ say('node') }} | {{ say('address') }} | {{ say('does') }} | {{ say('memory') }} | {{ say('latest_run') }} | {{ say('result') }} |
|---|---|---|---:|---|---|
{% for node in nodes %}
| {{ node.name | plain }} | {{ node.address }} | {{ node.roles | map('fact') | join('; ') | plain }} | {{ say('mib', value=node.memory_mb | number) }} | {% if node.applied %}{{ say('run_at', run=node.applied.run, time=node.applied.time | when) }}{% else %}{{ say('none') }}{% endif %} | {% if not node.applied %}–{% elif node.applied.error %}{{ say('could_not_begin') }}{% elif node.applied.failed %}{{ say('n_failed', number=node.applied.failed) }}{% else %}{{ say('states_well', states=node.applied.states | count('state')) }}{% endif %} |
{% endfor %}
{% if versions %}

| {{ say('installed') }} | {{ say('version') }} | {{ say('on') }} |
|---|---|---|
{% for program, version, where in versions %}
| {{ program | plain }} | {{ version | plain }} | {{ where | names | plain }} |
{% endfor %}
{% endif %}

## {{ say('deployed') }}

{% if not runs %}
{{ say('no_runs') }}
{% else %}
{{ say('deployed_intro') }}

| {{ say('run') }} | {{ say('when') }} | {{ say('command') }} | {{ say('nodes') }} | {{ say('states') }} | {{ say('changed') }} | {{ say('failed') }} | {{ say('seconds_head') }} |
|---:|---|---|---|---:|---:|---:|---:|
{% for run in runs_listed %}
| {{ run.number }} | {{ run.began | when }} | {{ run.command | code }} | {{ run.nodes | map(attribute='node') | names(model.nodes) | plain }} | {{ run.states }} | {{ say('no_change') if run.unchanged else run.changed }} | {{ run.failed or (say('could_not_begin') if run.broken else 0) }} | {{ run.seconds | number }} |
{% endfor %}

{% if runs | length > runs_listed | length %}
{{ say('runs_hidden', runs=(runs | length - runs_listed | length) | count('run')) }}

{% endif %}
{% for run in shown %}
### {{ say('run_title', number=run.number, command=run.command | plain, nodes=run.nodes | map(attribute='node') | names(model.nodes) | plain, time=run.began | when) }}

{% if run.dry %}
{{ say('dry_run') }}

{% endif %}
| {{ say('node') }} | {{ say('states') }} | {{ say('changed') }} | {{ say('failed') }} | {{ say('seconds_head') }} |
|---|---:|---:|---:|---:|
{% for node in run.nodes %}
| {{ node.node | plain }} | {{ node.states }} | {{ node.changed }} | {{ say('could_not_begin') if node.error else node.failed }} | {{ node.seconds | number }} |
{% endfor %}

{% if run.steps %}
{% set long = run.steps | length > 12 %}
{% if long %}
<details><summary>{{ say('steps_changed', steps=run.steps | length | count('step')) }}</summary>

{% endif %}
| {{ say('step') }} | {{ say('was_done') }} | {{ say('on') }} | {{ say('what_changed') }} | {{ say('seconds_head') }} |
|---:|---|---|---|---:|
{% for step in run.steps %}
| {{ loop.index }} | {{ step.id | plain }}{{ say('failed_on', nodes=step.failed | names | plain) if step.failed }} | {{ step.nodes | names | plain }} | {{ step.what[:3] | map('recorded') | map('plain') | join('<br>') }}{{ '<br>' ~ say('and_more', number=step.what | length - 3) if step.what | length > 3 }} | {{ step.longest | brief }} |
{% endfor %}
{% if long %}

</details>
{% endif %}

{% endif %}
{% endfor %}
{% endif %}
## {{ say('problems') }}

{% for problem in problems_listed %}
### {{ say('problem_title' if problem.solved else 'problem_open', id=problem.id, title=problem.title | fact | plain) }}

{% if problem.kind == 'note' %}
{{ say('noted', time=problem.met | when) }}
{% else %}
{{ say('met', time=problem.met | when, nodes=say('met_on', nodes=problem.nodes | names | plain) if problem.nodes else '', run=say('met_run', run=problem.run) if problem.run else '', times=say('met_times', times=problem.times) if problem.times > 1 else '', held=say('met_held', states=problem.held | length | count('other_state')) if problem.held else '') }}
{% endif %}

{% if problem.said %}
{{ problem.said | fact | block }}

{% endif %}
{% for explanation in problem.explanations %}
**{{ say('explanation') }}** {{ explanation.text | plain }}

{% endfor %}
{% if problem.solved %}
{% set how = problem.how | fact %}
**{% if problem.kind == 'note' %}{{ say('solved') }}{% else %}{{ say('solved_at', time=problem.solved | when, run=say('met_run', run=problem.solved_run) if problem.solved_run else '') }}{% endif %}** {{ how | plain }}{{ '' if how.endswith('.') else '.' }}
{% else %}
{{ say('not_solved') }}{{ say('still_open', nodes=problem.still | names | plain) if problem.still }}
{% endif %}

{% else %}
{{ say('no_problems') }}

{% endfor %}
{% if problems | length > problems_listed | length %}
{{ say('problems_hidden', problems=(problems | length - problems_listed | length) | count('problem')) }}

{% endif %}
## {{ say('failovers') }}

{% if not failovers %}
{{ say('no_failovers') }}

{% else %}
{{ say('failovers_intro') }}

{{ picture('leaders') }}
| {{ say('when') }} | {{ say('from') }} | {{ say('to') }} | {{ say('timeline') }} | {{ say('why') }} | {{ say('outage') }} | {{ say('lost_rows') }} | {{ say('source') }} |
|---|---|---|---:|---|---|---:|---|
{% for change in failovers_listed %}
| {{ change.time | when }} | {{ (change.old_leader or '–') | plain }} | {{ change.new_leader | plain }} | {{ change.timeline | number }} | {{ say('why_' ~ change.why, fault=change.fault) | plain }} | {% if change.how == 'measured' and change.bound_s is not none %}{{ say('out_measured', outage=change.outage_s | seconds, bound=change.bound_s | seconds) }}{% elif change.how == 'measured' %}{{ change.outage_s | seconds }}{% elif change.how == 'reckoned' %}{{ say('out_reckoned', outage=change.outage_s | seconds) }}{% elif change.how == 'assumed' %}{{ say('out_assumed', bound=change.bound_s | seconds) }}{% elif change.how == 'part' %}{{ say('out_part') }}{% else %}{{ say('out_unknown') }}{% endif %} | {{ change.lost | number }} | {{ say('src_' ~ change.source, node=change.new_leader | plain) }} |
{% endfor %}

{% if failovers | length > failovers_listed | length %}
{{ say('failovers_hidden', number=failovers | length - failovers_listed | length) }}

{% endif %}
{% endif %}
{% if availability %}
## {{ say('availability') }}

{{ say('availability_intro') }}

| {{ say('window') }} | {{ say('watched') }} | {{ say('outages') }} | {{ say('outage_sum') }} | {{ say('available') }} |
|---|---|---|---:|---:|
{% for row in availability %}
| {{ say(row.window) }} | {{ row.watched_s | seconds }} | {{ say('of_them_drills', number=row.outages, drills=row.drills) }}{{ '; ' ~ say('assumed_note', number=row.assumed) if row.assumed }} | {{ row.outage_s | seconds }} | {{ row.available | percent }} |
{% endfor %}

{% endif %}
## {{ say('drills') }}

{% if not drills %}
{{ say('no_drills') }}

{% else %}
{{ say('drills_intro') }}

{{ picture('outages') }}
| {{ say('fault') }} | {{ say('replication_head') }} | {{ say('drills_head') }} | {{ say('passed_head') }} | {{ say('least') }} | {{ say('median') }} | {{ say('greatest') }} | {{ say('bound') }} | {{ say('lost_of_head') }} |
|---|---|---:|---:|---:|---:|---:|---:|---:|
{% for row in faults_by_settings %}
| {{ row.fault | plain }} | {{ (row.replication or '–') | plain }} | {{ row.drills }} | {{ row.passed }} | {{ row.least | seconds }} | {{ row.median | seconds }} | {{ row.greatest | seconds }} | {{ row.bounds | map('seconds') | join(', ') or '–' }} | {{ say('lost_of', lost=row.lost, acknowledged=row.acknowledged | number) }} |
{% endfor %}

{% endif %}
{% if suites_listed %}
**{{ say('suites_head') }}**

{{ say('suites_intro') }}

| {{ say('suite_began') }} | {{ say('suite_ended') }} | {{ say('faults_head') }} | {{ say('rounds_head') }} | {{ say('worst') }} | {{ say('lost_of_head') }} | {{ say('verdict') }} |
|---|---|---:|---:|---|---:|---|
{% for one in suites_listed %}
| {{ one.started | when if one.started else '–' }} | {{ one.time | when }} | {{ one.faults | number }}{{ say('suite_skipped', number=one.skipped | number) if one.skipped }}{{ say('suite_left', number=one.left | number) if one.left }} | {{ one.rounds | number }} | {% if one.worst %}{{ say('worst_is', fault=one.worst.fault | plain, outage=one.worst.outage_s | seconds, bound=one.worst.bound_s | seconds) }}{% else %}–{% endif %} | {{ say('lost_of', lost=one.lost | number, acknowledged=one.acknowledged | number) }} | {{ say('suite_' ~ one.verdict) }}{{ ': ' ~ (one.reasons | map('recorded') | join('; ') | plain) if one.reasons }} |
{% endfor %}

{% endif %}
{% if drills %}
{% if drills | length > drills_shown | length %}
{{ say('drills_latest', number=drills_shown | length) }}

{% endif %}
{% for drill in drills_shown %}
### {{ say('drill_title', time=drill.time | when, fault=drill.fault | plain, verdict=say('v_passed' if drill.passed else ('v_broken_off' if drill.broken_off else 'v_not_passed'))) }}

{% if drill.what %}
{{ drill.what | does(drill.fault) | plain }}

{% endif %}
{% for reason in drill.reasons %}
- {{ say('not_passed_because', reason=reason | recorded | plain) }}
{% endfor %}
{% if drill.reasons %}

{% endif %}
{% if not drill.broken_off %}
{{ picture(drill.picture) }}
| | |
|---|---|
| {{ say('d_leader') }} | {{ say('before_after', before=(drill.old_leader or '–') | plain, after=(drill.new_leader or '–') | plain) }} |
| {{ say('timeline') }} | {{ say('before_after', before=drill.timeline_before | number, after=drill.timeline_after | number) }} |
| {{ say('outage') }} | **{{ drill.outage_s | seconds }}**{{ say('d_outage_bound', bound=drill.bound_s | seconds) if drill.bound_s is not none }}{% if drill.terms %} ({% for name, value in drill.terms %}{{ name | term | plain }} {{ value | seconds }}{{ ' + ' if not loop.last }}{% endfor %}){% endif %} |
| {{ say('d_any') }} | {{ drill.outage_of_all_s | seconds }} |
| {{ say('d_rows') }} | {{ say('d_rows_are', acknowledged=drill.acknowledged | number, lost=drill.lost | number, duplicated=drill.duplicated | number, damaged=drill.damaged | number) }} |
{% if drill.lost_rows %}
| {{ say('d_lost_rows') }} | {{ drill.lost_rows | join(', ') | plain }} |
{% endif %}
| {{ say('d_unknown') }} | {% if drill.unknown %}{{ say('d_unknown_are', present=drill.unknown.present | number, absent=drill.unknown.absent | number) }}{% else %}–{% endif %} |
| {{ say('d_refused') }} | {{ drill.refused | number }} |
| {{ say('d_whole') }} | {{ say('after_s', seconds=drill.time_to_whole_s | seconds) if drill.time_to_whole_s is not none else say('no') }} |
| {{ say('d_load') }} | {{ say('d_load_is', writers=drill.writers | number, commits=drill.commits_per_s | number, balancer=(drill.load_balancer or '–') | plain, replication=(drill.replication or '–') | plain) }} |

| {{ say('after_fault') }} | {{ say('what_happened') }} |
|---:|---|
{% for phase, value in drill.phases %}
| {{ value | fixed(2) if value is not none else say('not_seen') }} | {{ say(phase) }} |
{% endfor %}
| {{ drill.time_to_whole_s | fixed(1) if drill.time_to_whole_s is not none else say('not_seen') }} | {{ say('whole_again') }} |

{{ picture(drill.lag_picture) }}
{% if drill.errors %}
<details><summary>{{ say('clients_told') }}</summary>

| {{ say('times') }} | {{ say('error') }} |
|---:|---|
{% for text, times in drill.errors %}
| {{ times | number }} | {{ text | plain }} |
{% endfor %}

</details>
{% endif %}
{% endif %}

{% endfor %}
{% endif %}
{% if backups or proofs or restores_listed %}
## {{ say('backups') }}

{{ say('backups_intro') }}{{ ' ' ~ say('rp_latest', time=recovery_point | when) if recovery_point }}

{{ picture('backups') }}
{% if backups %}
**{{ say('backups_head') }}**

| {{ say('when') }} | {{ say('node') }} | {{ say('tool') }} | {{ say('backup') }} | {{ say('kind') }} | {{ say('size') }} | {{ say('took') }} | {{ say('verdict') }} |
|---|---|---|---|---|---:|---:|---|
{% for one in backups_listed %}
| {{ one.time | when }} | {{ one.node | plain }} | {{ (one.tool or '–') | plain }} | {{ (one.backup or '–') | plain }} | {{ (one.kind or '–') | plain }} | {{ one.bytes | size }} | {{ one.took_s | seconds }} | {{ say('v_passed') if one.passed else say('v_not_passed') ~ ': ' ~ (one.reasons | join('; ') | plain) }} |
{% endfor %}

{% endif %}
{% if proofs %}
**{{ say('proofs_head') }}**

| {{ say('when') }} | {{ say('node') }} | {{ say('backup') }} | {{ say('size') }} | {{ say('recovery') }} | {{ say('loss') }} | {{ say('verdict') }} |
|---|---|---|---:|---:|---:|---|
{% for one in proofs_listed %}
| {{ one.time | when }} | {{ one.node | plain }} | {{ (one.backup or '–') | plain }} | {{ one.bytes | size }} | {{ one.recovery_s | seconds }} | {{ one.loss_s | seconds }} | {{ say('v_passed') if one.passed else say('v_refused' if one.refused else 'v_not_passed') ~ ': ' ~ (one.reasons | join('; ') | plain) }} |
{% endfor %}

{% endif %}
{% if restores_listed %}
**{{ say('restores_head') }}**

| {{ say('when') }} | {{ say('restored_to') }} | {{ say('backup') }} | {{ say('led_by') }} | {{ say('last_row') }} | {{ say('timeline') }} | {{ say('took') }} | {{ say('verdict') }} |
|---|---|---|---|---|---:|---:|---|
{% for one in restores_listed %}
| {{ one.time | when }} | {{ (one.target or '–') | fact | plain }} | {{ (one.backup or '–') | plain }} | {{ (one.leader or '–') | plain }} | {{ (one.last_commit or '–') | plain }} | {{ one.timeline | number }} | {{ one.took_s | seconds }} | {{ say('restore_' ~ one.verdict) }} |
{% endfor %}

{% for one in restores_listed[-1:] if one.steps %}
{{ say('restore_steps') }} {% for name, seconds in one.steps.items() %}{{ name | plain }} {{ seconds | seconds }}{{ ', ' if not loop.last else '.' }}{% endfor %}


{% endfor %}
{% endif %}
{% endif %}
{% if conditions.certificates %}
## {{ say('certificates') }}

| {{ say('node') }} | {{ say('certificate') }} | {{ say('ends') }} | {{ say('left') }} |
|---|---|---|---:|
{% for one in conditions.certificates %}
| {{ one.node | plain }} | {{ one.name | plain }} | {{ one.ends | when }} | {{ one.left_days | days }} |
{% endfor %}

{{ say('restart_pending', nodes=conditions.pending | names | plain) if conditions.pending else say('restart_none') }}
{% for one in conditions.watchdogs if one.held or not one.exists %}
{{ say('watchdog_held' if one.held else 'watchdog_none', node=one.node | plain, device=one.device | plain) }}
{% endfor %}

{% endif %}
## {{ say('settings') }}

{{ say('replication_is', replication=replication | fact) }}

| {{ say('setting') }} | {{ say('value') }} | {{ say('decides') }} |
|---|---:|---|
| ttl | {{ model.timings.ttl_s | unit }} | {{ say('s_ttl') }} |
| loop_wait | {{ model.timings.loop_wait_s | unit }} | {{ say('s_loop_wait') }} |
| retry_timeout | {{ model.timings.retry_timeout_s | unit }} | {{ say('s_retry_timeout') }} |
| primary_start_timeout | {{ model.dcs.primary_start_timeout | unit }} | {{ say('s_primary_start_timeout') }} |
| maximum_lag_on_failover | {{ model.timings.maximum_lag_on_failover_bytes | size }} | {{ say('s_maximum_lag') }} |
| HAProxy inter, fastinter, downinter | {{ model.haproxy.inter_ms }}, {{ model.haproxy.fastinter_ms }}, {{ model.haproxy.downinter_ms }} ms | {{ say('s_inter') }} |
| HAProxy rise, fall | {{ model.haproxy.rise }}, {{ model.haproxy.fall }} | {{ say('s_rise') }} |
| HAProxy timeout check | {{ model.haproxy.timeout_check_ms }} ms | {{ say('s_timeout_check') }} |
| etcd heartbeat, election | {{ model.etcd.heartbeat_ms }}, {{ model.etcd.election_ms }} ms | {{ say('s_heartbeat') }} |
| {{ say('s_watchdog_name') }} | {{ model.patroni.watchdog }} | {{ say('s_watchdog') }} |

{{ say('release_rule') }}

    inter + fall x (timeout check + fastinter) + {{ release.ended_s | number(3) }} s  <  ttl - loop_wait
    {{ release.inter_s | number(3) }} + {{ release.fall }} x ({{ release.check_s | number(3) }} + {{ release.fastinter_s | number(3) }}) + {{ release.ended_s | number(3) }} = {{ release.released_s | number(3) }} s  {{ '<' if release.holds else say('is_not_less') }}  {{ release.ttl_s }} - {{ release.loop_wait_s }} = {{ release.limit_s }} s

{{ say('costs_intro') }}

| {{ say('fault') }} | {{ say('fault_does') }} | {{ say('at_most') }} | {{ say('of_which') }} |
|---|---|---|---|
{% for fault, bound in bounds.items() %}
| `{{ fault }}` | {{ bound.what | does(fault) | plain }} | {{ bound.bound_s | seconds }} | {% for name, value in bound.terms.items() %}{{ name | term }} {{ value | seconds }}{{ ', ' if not loop.last }}{% endfor %} |
{% endfor %}

## {{ say('security') }}

{{ say('security_intro') }}

| {{ say('measure') }} | {{ say('applied_on') }} |
|---|---|
{% for measure, done, where in security %}
| {{ measure | fact | plain }} | {{ (done | names(model.nodes) | plain) if done else say('none') }}{{ say('of_nodes', nodes=where | length | count('node')) if done | length < where | length }} |
{% endfor %}

## {{ say('how') }}

- {{ say('how_runs') }}
- {{ say('how_drills') }}
- {{ say('how_events') }}{{ say('how_torn', lines=log.torn | count('line_was')) if log.torn }}
- {{ say('how_page') }}
{% if not pictures %}
- {{ say('how_no_pictures') }}
{% endif %}
"""
