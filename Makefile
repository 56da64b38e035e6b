# To begin, `make run` and `make test` are enough. They need Python 3.11 or newer, make and git.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := bash
PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes --no-deps --progress-bar off
# Shows the progress of pip on one line instead of its long output. Errors go to standard error, and are shown in full.
SHOWN = awk -v all="$$(grep -c '==' $<)" '/^(Collecting|Requirement already)/ { printf "\r  %d packages of at most %d fetched", ++n, all; fflush() } \
	/^Installing/ { printf ", installing"; fflush() } END { print "" }'

CONNECTORS := langgraph crewai autogen otel

.PHONY: help setup run test test-slow quick bench contract connectors ants teams notebooks check format lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp  ## Install the service into .venv, with the command .venv/bin/semp

run: setup  ## Start the service and its own Neo4j on http://127.0.0.1:5000; Ctrl-C stops both; ARGS="--port 5001" is passed on
	@exec $(BIN)/semp serve $(ARGS)

test: $(VENV)/dev.stamp connectors  ## Style, types, layers and all fast tests, on a real Neo4j
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/dev.stamp  ## The tests that take minutes: kills under load, large histories
	$(BIN)/python -m pytest -m slow -rP --timeout 3600

bench: $(VENV)/dev.stamp  ## Measure, print ratios, write benchmarks/results
	$(BIN)/python -m benchmarks

connectors: $(CONNECTORS:%=.envs/%.stamp)  ## Make a virtual environment for each framework that has a connector

ants: $(VENV)/dev.stamp  ## Example: ants on two maps, with and without signals; takes minutes, ARGS="--seeds 1 --rounds 60" is short
	@$(BIN)/python examples/ant_colony/run.py $(ARGS)

teams: $(VENV)/dev.stamp connectors  ## Example: teams of three frameworks repair one package
	@$(BIN)/python examples/three_teams/run.py $(ARGS)

notebooks: $(VENV)/dev.stamp  ## Run the notebooks and keep their outputs
	$(BIN)/python notebooks/run.py

quick: $(VENV)/dev.stamp  ## Style, types, unit tests, and storage tests in memory: under a minute
	@$(BIN)/python -m pytest -q -n 2 tests/unit tests/tidy tests/contract -k "not neo4j" & tests=$$!; \
	$(MAKE) --no-print-directory check; checked=$$?; wait $$tests && exit $$checked

contract: $(VENV)/dev.stamp  ## Write contract/openapi.json and the types of the TypeScript SDK again
	$(BIN)/python contract/renew.py
	cd sdk/typescript && npm ci --silent && npm run --silent types

check: $(VENV)/dev.stamp  ## Only style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright

format: $(VENV)/dev.stamp  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/dev.stamp  ## Resolve the newest dependencies into requirements/
	$(BIN)/python requirements/lock.py

clean:  ## Remove the virtual environments, caches and builds; keep the data under .semp
	rm -rf $(VENV) .envs .pytest_cache .ruff_cache .hypothesis .import_linter_cache sdk/typescript/{node_modules,dist,build}

# A virtual environment is used only if pip worked in it once, at its present place. One that was left incomplete (python3-venv missing,
# Ctrl-C), was moved, or whose Python is gone is made again.
HEALTHY := $(shell [ "$$(cat $(VENV)/base.stamp 2>/dev/null)" = "$$(pwd)" ] && $(BIN)/python -c 'import pip' 2>/dev/null && echo yes)
ifneq ($(HEALTHY),yes)
.PHONY: $(VENV)/base.stamp
endif

$(VENV)/base.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on the PATH. Install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv;"; \
	  echo "macOS: brew install python), or name one: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("SEL/SEMP needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Install a newer one and name it:\n  make $(or $(MAKECMDGOALS),run) PYTHON=python3.12")'
	@if [ -e $(VENV) ]; then echo "The virtual environment $(VENV) is incomplete, or was made elsewhere: making it anew"; rm -rf $(VENV); else echo "Making the virtual environment $(VENV)"; fi
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip --version >/dev/null || { rm -rf $(VENV); \
	  echo "The virtual environment could not be made. On Debian and Ubuntu it needs: apt install python3-venv"; exit 1; }
	@pwd > $@

$(VENV)/run.stamp: requirements/run.txt pyproject.toml $(VENV)/base.stamp
	@echo "Installing the service (pinned in requirements/run.txt): some 100 MB to fetch, 300 MB on disk, about a minute"
	@set -o pipefail; $(PIP) -r $< | $(SHOWN)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing the test tools (pinned in requirements/dev.txt): some 350 MB to fetch, 900 MB on disk, about a minute"
	@set -o pipefail; $(PIP) -r $< | $(SHOWN)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable sdk/python
	@touch $@

.envs/%.stamp: requirements/connectors/%.txt
	@echo "Making the environment of the $* connector in .envs/$*"
	@$(PYTHON) -m venv --clear .envs/$*
	@set -o pipefail; .envs/$*/bin/python -m pip --disable-pip-version-check install --require-hashes --no-deps --progress-bar off -r $< | $(SHOWN)
	@touch $@
