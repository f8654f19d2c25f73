# `make demo` and `make test` run on a fresh machine: each builds what it needs under .environments/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help environment demo demo-full test bench lint docs site pins clean

# A real conda is used where there is one, otherwise a stand-in (envs/README.md).
ifeq ($(shell command -v conda),)
export PATH := $(CURDIR)/envs/without-conda/bin:$(PATH)
endif

ENVIRONMENTS := .environments
SNAKEMAKE := $(ENVIRONMENTS)/snakemake
TEST := $(ENVIRONMENTS)/test
export SNAKEMAKE_CONDA_PREFIX := $(CURDIR)/$(ENVIRONMENTS)/rules

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

# An environment is rebuilt when its file changes; one whose building was interrupted has no .built.
$(ENVIRONMENTS)/%/.built: envs/%.yaml
	@echo "Building the environment $* ..."
	rm -rf $(ENVIRONMENTS)/$*
	conda env create --quiet --file $< --prefix $(ENVIRONMENTS)/$*
	touch $@

environment: $(SNAKEMAKE)/.built  ## Build Snakemake's environment alone

demo: $(SNAKEMAKE)/.built  ## Run the whole chain on phantoms, up to the report; then apply its model to other phantoms
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" demo/run.sh demo all results/bundles/cddpm_ens_z_t2
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" demo/run.sh demo/apply --configfile demo/config/apply.yaml

demo-full: $(SNAKEMAKE)/.built  ## The same with all methods, compared with a run that has the released code's defects
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" demo/run.sh demo/as_released \
		--configfile demo/config/config.yaml config/as_released.yaml demo/config/as_released.yaml
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" demo/run.sh demo \
		--configfile demo/config/config.yaml demo/config/full.yaml

test: $(SNAKEMAKE)/.built $(TEST)/.built  ## Run all tests
	PATH="$(CURDIR)/$(SNAKEMAKE)/bin:$$PATH" $(TEST)/bin/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

bench: $(SNAKEMAKE)/.built $(TEST)/.built  ## Measure times and memory on the CPU, into docs/reference/benchmarks.md
	PYTHONPATH=scripts $(TEST)/bin/python bench/run.py
	PYTHONPATH=scripts $(TEST)/bin/python bench/write_docs.py

lint: $(SNAKEMAKE)/.built $(TEST)/.built  ## Check style, formatting and the workflow's rules
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/snakefmt --check Snakefile workflow
	$(SNAKEMAKE)/bin/snakemake --directory demo --lint
	$(SNAKEMAKE)/bin/snakemake --lint

docs: $(SNAKEMAKE)/.built  ## Write the pages of docs/reference that follow from the code, and the config's schema
	for script in collect_assumptions write_schema write_config write_rules write_messages; do \
		$(SNAKEMAKE)/bin/python docs/$$script.py; done

site: $(ENVIRONMENTS)/docs/.built  ## Build the documentation as a site: docs/_site/index.html
	$(ENVIRONMENTS)/docs/bin/sphinx-build --quiet --fresh-env --fail-on-warning -c docs . docs/_site
	cp docs/_site/README.html docs/_site/index.html

pins: $(SNAKEMAKE)/.built  ## Move the pins of envs/ to the newest versions, then run all tests
	$(SNAKEMAKE)/bin/python envs/move_pins.py
	$(MAKE) test

clean:  ## Remove the files of the demo and the tests; environments stay
	rm -rf demo/{apply,as_released,results,resources,logs,benchmarks,.snakemake} .pytest_cache .ruff_cache
