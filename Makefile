# Everything one does with Roomwire's source. It asks for make, Python 3.11 or newer and the package registries.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV ?= .venv
# Servers that the tests start; what is missing is installed where this user may, and said where not.
PACKAGES ?= postgresql-15 postgresql-15-wal2json chromium
# What pytest gets: make test PYTEST='-k replication --servers containers'
# Tests are handed out one by one in their order, the long ones of tests/acceptance first, so that all end together.
PYTEST ?= -n $(WORKERS) --dist load --maxschedchunk 1
# Tests also wait, for clocks and for the processes they started: three for two processors. Each has its own servers.
WORKERS = $(shell n=$$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )); echo $$(( n < 6 ? n : 6 )))

# Where this is set, each of the many commands that the tests start would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
EDITABLE := $(INSTALL) --no-deps --no-build-isolation --editable .
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra demo --group build

.DEFAULT_GOAL := help
.PHONY: help run test chaos check lint pictures bench lock packages

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## run the demo: a PMS, a booking engine's page, and Roomwire between them
	@$(BIN)/roomwire demo

# Types take a quarter of a minute, in a fresh clone, of one processor: they are checked while the tests begin.
test: packages lint ## check, and run every test on real servers
	@said=$$(mktemp); trap 'rm -f "$$said"' EXIT; $(BIN)/mypy >"$$said" 2>&1 & types=$$!; \
	$(BIN)/python -m pytest $(PYTEST); tested=$$?; \
	wait $$types; typed=$$?; cat "$$said"; \
	[ $$tested -eq 0 ] && [ $$typed -eq 0 ]

chaos: packages $(VENV)/dev.stamp ## ten thousand actions of staff, ten times kill -9, on each server (minutes)
	$(BIN)/python -m pytest -m chaos

check: lint ## lint, format, types, and the staircase of imports
	$(BIN)/mypy

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

pictures: $(VENV)/dev.stamp ## photograph the demo for the README (needs chromium)
	$(BIN)/python -m deploy.demo.picture

bench: $(VENV)/dev.stamp ## measure against the budgets
	$(BIN)/python -m tests.bench

lock: $(VENV)/dev.stamp ## pin every dependency anew, with hashes (UPGRADE=--upgrade takes the newest)
	$(LOCK) $(UPGRADE) --output-file requirements.lock
	$(LOCK) $(UPGRADE) --group dev --constraint requirements.lock --output-file requirements-dev.lock

packages:
	@.ci/packages $(PACKAGES)

# Everything is installed from the lock file, hatchling too, so that nothing unpinned is ever fetched.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Roomwire runs on into $(VENV) ..."
	@$(INSTALL) --require-hashes --requirement requirements.lock
	@$(EDITABLE)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Roomwire is built and tested with into $(VENV) ..."
	@$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@$(EDITABLE)
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Roomwire needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot make virtual environments: install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
