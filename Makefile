# The targets are the same locally and in CI: install, lint, test, check, bench; `up` runs the system.

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
UP ?=
TEST_WORKERS ?= 2
TRADES ?= ../shared/data/pump_curve_trades.csv.gz

# PYTHON, or the first working Python from 3.11 to 3.13, for which Ray and numba have wheels.
FIND_PYTHON = for p in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done

.PHONY: help install up down test test-long lint check bench honesty closed-loop simulate soak fuzz docs docs-output sbom audit clean
.DEFAULT_GOAL := help

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/installed-dev ## install MemeSnipe and its tools into .venv

# Two sets of packages: the dependencies, and the tools of tests and lint. A file records when each was installed.
$(VENV)/installed $(VENV)/installed-dev: pyproject.toml constraints.txt scripts/install.sh
	@python=$$($(FIND_PYTHON)); \
	test -n "$$python" || { echo "MemeSnipe needs Python 3.11, 3.12 or 3.13; install it, or set its path: make PYTHON=/path/to/python3"; exit 2; }; \
	scripts/install.sh $(VENV) $$python $(if $(findstring dev,$@),dev)
	@touch $(VENV)/installed $@

up: $(VENV)/installed ## run the system on the synthetic market; Ctrl-C stops it (options: make up UP="--speed 60")
	@$(BIN)/memesnipe up $(UP)

down: $(VENV)/installed ## stop the system in this folder
	@$(BIN)/memesnipe down

lint: install ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Bytecode of our own sources is kept too, for the hundreds of processes that tests start.
test test-long: export PYTHONDONTWRITEBYTECODE =

test: install ## every behaviour once, on two cores in about twenty minutes (more: TEST_WORKERS=4 make test)
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --durations=10

test-long: install ## what is left out there: many kills, and faults in a system of their own (more than half an hour)
	$(BIN)/python -m pytest -m long -v --durations=0 --durations-min=1

check: lint test ## lint and test

bench: install ## measure the engine, generations, the search, and peers (creates an environment for the peers, about 1 GB)
	@$(BIN)/memesnipe bench engine
	@$(BIN)/memesnipe bench evolve
	@$(BIN)/python benchmarks/search.py
	@$(BIN)/python benchmarks/peers.py

honesty: install ## the table of docs/statistics.md: searches on labelled markets (about 20 minutes)
	@$(BIN)/python benchmarks/false_discovery.py

closed-loop: install ## the whole system over 24 hours of labelled markets (about two hours; fewer: SEEDS=1 make closed-loop)
	@$(BIN)/python benchmarks/closed_loop.py --seeds $${SEEDS:-5}

simulate: install ## run 100,000 simulated histories with faults (fewer: HISTORIES=2000 make simulate)
	@$(BIN)/python -m memesnipe.testing.simulator --histories $${HISTORIES:-100000}

soak: install ## run the system for an hour and check memory and lag for growth (shorter: SOAK_MINUTES=5 make soak)
	@$(BIN)/python benchmarks/soak.py

fuzz: install ## fuzz all inputs and attack the signer with 100,000 cases each (more: FUZZ_CASES=1000000 make fuzz)
	FUZZ_CASES=$${FUZZ_CASES:-100000} $(BIN)/python -m pytest tests/fuzz tests/signer/test_attacks.py --hypothesis-profile=fuzz -o timeout=0 $(FUZZ)

docs: install ## build the documentation as a site that needs no network (build/site/index.html)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo build/site/index.html

docs-output: install ## rewrite the command output in README and docs (TRADES=file with recorded pump.fun trades)
	@$(BIN)/python scripts/docs_output.py --trades $(TRADES)

# The tool has an environment of its own: beside it Ray finds a library that takes each of its processes a second to load.
SBOM := build/sbom-tool
$(SBOM)/bin/cyclonedx-py: constraints.txt $(VENV)/installed-dev
	@$(BIN)/python -m venv $(SBOM) && $(SBOM)/bin/pip --disable-pip-version-check install --quiet -c constraints.txt cyclonedx-bom
	@touch $@

sbom: install $(SBOM)/bin/cyclonedx-py ## write the bill of materials of what is installed (build/sbom.json, CycloneDX)
	@$(SBOM)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json $(BIN)/python
	@echo build/sbom.json

audit: install ## ask PyPI for known weaknesses of every pinned package (needs the internet)
	@$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

clean: ## remove the virtual environment and caches; data in .memesnipe stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
