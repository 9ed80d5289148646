# Thin names over tools. `make` alone lists them.
NODE ?=

.PHONY: help lab lab-nodes lab-box status ssh sync apply drill report docs test check destroy

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

lab: ## a whole cluster on this machine, a failover test and its report
	@lab/up.sh

lab-nodes: ## only the nodes, with connected minions and no state applied
	@lab/up.sh nodes

lab-box: ## only the box that nodes are made from
	@lab/host.sh && lab/box.sh

status: ## nodes, addresses, who is up, who is connected, memory
	@lab/status.sh

ssh: ## a shell on a node: make ssh NODE=pg1
	@test -n "$(NODE)" || { echo "which one? make ssh NODE=pg1"; exit 2; }
	@vagrant ssh $(NODE)

sync: ## bring the state tree to the master
	@lab/sync.sh

apply: sync ## sync, then apply the state on all nodes at once, or on NODE
	@lab/apply.sh $(NODE)

drill: ## a failover test on the running cluster
	@lab/drill.sh

report: ## have the master write the report and bring it here
	@lab/report.sh

docs: ## docs/settings.md and docs/presets.md from the code
	@PYTHONPATH=_utils .venv/bin/python -m saltroni.pillar.describe > docs/settings.md
	@PYTHONPATH=_utils .venv/bin/python -m saltroni.failover.describe > docs/presets.md

test: ## every test, the lab's included
	@tests/run

check: ## style and static checks
	@tests/check

destroy: ## take the lab away; caches stay
	@lab/destroy.sh
