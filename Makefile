# `make run` and `make test` are all a newcomer needs: Python 3.11 or newer, make and git.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := bash
PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes --no-deps --progress-bar off
# pip's own words are many; these say how far it is. What goes wrong is on standard error and stays as it is.
SHOWN = awk -v all="$$(grep -c '==' $<)" '/^(Collecting|Requirement already)/ { printf "\r  %d packages of at most %d fetched", ++n, all; fflush() } \
	/^Installing/ { printf ", installing"; fflush() } END { print "" }'

CONNECTORS := langgraph crewai autogen otel

.PHONY: help setup run test test-slow bench connectors ants teams notebooks check format lock clean

help:  ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp  ## Set up .venv with the service, and .venv/bin/semp

run: setup  ## Start the service and its own Neo4j on http://127.0.0.1:5000; Ctrl-C stops both
	@exec $(BIN)/semp serve

test: $(VENV)/dev.stamp connectors  ## Style, types, layers and all fast tests, on a real Neo4j
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/dev.stamp  ## The proofs that take minutes: chaos, scale
	$(BIN)/python -m pytest -m slow -rP --timeout 3600

bench: $(VENV)/dev.stamp  ## Measure, print ratios, write benchmarks/results
	$(BIN)/python -m benchmarks

connectors: $(CONNECTORS:%=.envs/%.stamp)  ## An environment for each framework that the SDK connects

ants: $(VENV)/dev.stamp  ## Ants on two maps, with signals and without: minutes; ARGS="--seeds 1 --rounds 60" is a taste
	@$(BIN)/python examples/ant_colony/run.py $(ARGS)

teams: $(VENV)/dev.stamp connectors  ## Teams of three frameworks mend one package
	@$(BIN)/python examples/three_teams/run.py $(ARGS)

notebooks: $(VENV)/dev.stamp  ## Run the notebooks and keep their outputs
	$(BIN)/python notebooks/run.py

check: $(VENV)/dev.stamp  ## Style, types and layers alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright

format: $(VENV)/dev.stamp  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/dev.stamp  ## Resolve the newest dependencies into requirements/
	$(BIN)/python requirements/lock.py

clean:  ## Remove what setup and tests made; data under .semp stays
	rm -rf $(VENV) .envs .pytest_cache .ruff_cache .hypothesis .import_linter_cache sdk/typescript/{node_modules,dist,build}

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "semp needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@echo "Making the virtual environment .venv"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the service (pinned in requirements/run.txt; about a minute)"
	@set -o pipefail; $(PIP) -r $< | $(SHOWN)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing the test tools (pinned in requirements/dev.txt; about a minute)"
	@set -o pipefail; $(PIP) -r $< | $(SHOWN)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable sdk/python
	@touch $@

.envs/%.stamp: requirements/connectors/%.txt
	@echo "Making the environment of the $* connector in .envs/$*"
	@$(PYTHON) -m venv .envs/$*
	@set -o pipefail; .envs/$*/bin/python -m pip --disable-pip-version-check install --require-hashes --no-deps --progress-bar off -r $< | $(SHOWN)
	@touch $@
