# Two commands do everything, on a fresh machine too: `make demo` and `make test`.
# Each sets up what it needs under .environments/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test bench lint docs clean

# A real conda is used where there is one; else a stand-in (envs/README.md).
ifeq ($(shell command -v conda),)
export PATH := $(CURDIR)/envs/without-conda/bin:$(PATH)
endif

ENVIRONMENTS := .environments
SNAKEMAKE := $(ENVIRONMENTS)/snakemake
TEST := $(ENVIRONMENTS)/test
DEMO_REPORT := demo/results/report
export SNAKEMAKE_CONDA_PREFIX := $(CURDIR)/$(ENVIRONMENTS)/rules

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

# An environment is rebuilt when its file changes, and half-built ones don't count.
$(ENVIRONMENTS)/%/.built: envs/%.yaml
	@echo "Building the environment $* ..."
	rm -rf $(ENVIRONMENTS)/$*
	conda env create --quiet --file $< --prefix $(ENVIRONMENTS)/$*
	touch $@

# A Snakemake that was killed leaves its working directory locked. The lock here ends with its holder,
# so once it is ours, and no other Snakemake runs there, the one left behind is stale. Jobs that
# outlive a killed Snakemake hold their logs (scripts/brainuad/job.py); the next of their kind waits.
demo: $(SNAKEMAKE)/.built  ## Run the whole chain on phantoms, up to the report
	@mkdir -p demo/.snakemake
	@exec 9>demo/.snakemake/demo.lock; \
	flock --nonblock 9 || { echo "Waiting for another 'make demo' to end ..."; flock 9; }; \
	export PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH"; \
	if [ -n "$$(ls demo/.snakemake/locks 2>/dev/null)" ] \
			&& ! pgrep --full "python[^ ]* [^ ]*/snakemake .*--directory demo" >/dev/null; then \
		snakemake --directory demo --unlock --quiet progress rules host; \
	fi; \
	snakemake --directory demo --cores all --use-conda; \
	if [ $(DEMO_REPORT)/index.html -nt $(DEMO_REPORT)/snakemake_report.zip ]; then \
		snakemake --directory demo --report results/report/snakemake_report.zip --quiet progress rules host; \
	fi
	@echo
	@echo "The report:              $(CURDIR)/$(DEMO_REPORT)/index.html"
	@echo "The same with all code:  $(CURDIR)/$(DEMO_REPORT)/snakemake_report.zip"

test: $(SNAKEMAKE)/.built $(TEST)/.built  ## Run all tests
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" $(TEST)/bin/python -m pytest

bench: $(SNAKEMAKE)/.built $(TEST)/.built  ## Measure what costs time on this machine, into docs/benchmarks.md
	PYTHONPATH=scripts $(TEST)/bin/python bench/run.py
	PYTHONPATH=scripts $(TEST)/bin/python bench/write_docs.py

lint: $(SNAKEMAKE)/.built $(TEST)/.built  ## Check style, formatting and the workflow's rules
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/snakefmt --check Snakefile workflow
	$(SNAKEMAKE)/bin/snakemake --directory demo --lint
	$(SNAKEMAKE)/bin/snakemake --lint

docs:  ## Collect the decisions marked in the code into docs/assumptions.md
	python3 docs/collect_assumptions.py

clean:  ## Remove what the demo and the tests made; environments stay
	rm -rf demo/results demo/resources demo/logs demo/benchmarks demo/.snakemake .pytest_cache .ruff_cache
