# make help lists what there is. Everything is installed into .venv (Python) and node_modules (JavaScript).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
OLDEST := .venv-oldest/bin/python
SPARK := .venv-spark/bin/python
PYTHON_ENV := .ci/python-env
SOURCES := $(shell find labextension/src labextension/style -type f 2>/dev/null)
CONFIG := package.json labextension/tsconfig.json labextension/install.json
WHEEL_CONFIG := pyproject.toml $(wildcard nbprod/server/jupyter_server_config.d/*)
NPM := npm --no-audit --no-fund --no-update-notifier

export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help demo test bench rules lock format clean lint test-js test-python test-oldest test-spark test-orchestrators test-image test-browser installed developing
.SILENT:

help: ## Show this list
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: installed ## Install what is needed and run the demo
	$(BIN)/nbprod demo

test: lint test-js test-python test-oldest test-spark test-orchestrators test-browser ## Install what is needed and run every check and test
	echo "make test: all green"

lint: developing ## Check style, types and layers of the Python code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict nbprod
	$(BIN)/lint-imports --no-logo

test-js: node_modules/.installed ## Check style and types of the TypeScript code and run its unit tests
	$(NPM) run --silent lint
	$(NPM) run --silent test

test-python: developing ## Run the Python tests, without the browser
	.ci/promtool || true
	$(BIN)/python -m pytest -q -n 2 -m "not browser and not serial and not oldest and not spark and not orchestrator and not image"
	$(BIN)/python -m pytest -q -m "serial and not browser" || [ $$? -eq 5 ]

test-oldest: developing .venv-oldest/.made ## Run idioms, golden cases and both examples under the oldest supported versions
	if [ -x $(OLDEST) ]; then $(OLDEST) -m pytest -q -n 2 tests/idioms tests/test_cases.py; fi
	if [ -x $(OLDEST) ]; then NBPROD_OLDEST=$(CURDIR)/$(OLDEST) $(BIN)/python -m pytest -q -n 2 -m oldest; fi

test-spark: developing .venv-spark/.made ## Score and fit both examples on a real Spark
	if [ -x $(SPARK) ]; then NBPROD_SPARK=$(CURDIR)/$(SPARK) $(BIN)/python -m pytest -q -m spark; fi

test-orchestrators: developing .venv-airflow/.made .venv-kfp/.made ## Run what is deployed to Airflow and Kubeflow, on this machine
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m orchestrator

test-image: developing ## Build the image of a package and ask it, where Docker or buildah is (not part of test)
	if what=$$(.ci/base-image); then set -- $$what; NBPROD_BUILDER=$$1 NBPROD_BASE_IMAGE=$${2:-} $(BIN)/python -m pytest -q -m image; fi

test-browser: developing ## Run the tests in JupyterLab, in a real browser
	if .ci/chromium; then $(BIN)/python -m pytest -q -m browser; fi

bench: developing ## Measure speed against peers
	for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

format: .venv/.dev node_modules/.installed ## Rewrite the code in the house format
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format
	$(NPM) run --silent format

rules: installed ## Compile what cells and libraries do, after the YAML or TOML was edited
	$(BIN)/python -c "from nbprod.analysis.compiled import *; COMPILED.write_text(compiled_text(), 'utf-8')"

lock: ## Write the lock files anew from pyproject.toml and package.json
	$(PYTHON_ENV) --lock
	$(NPM) install --package-lock-only --before="$${NPM_BEFORE:-2026-10-05}"

clean: ## Remove everything that was installed or built
	rm -rf .venv .venv-oldest .venv-spark .venv-airflow .venv-kfp .tools node_modules nbprod/_labextension labextension/lib dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Python and JavaScript are installed side by side.
installed:
	$(MAKE) --no-print-directory -j2 .venv/.installed

developing:
	$(MAKE) --no-print-directory -j2 .venv/.installed .venv/.dev

# Stamps: each is younger than what it was made from, so that a second run starts at once.

.venv/.runtime: requirements.lock $(PYTHON_ENV)
	$(PYTHON_ENV) requirements.lock
	touch $@

.venv-oldest/.made: requirements-oldest.lock $(PYTHON_ENV) | .venv/.runtime
	$(PYTHON_ENV) --oldest
	[ ! -x $(OLDEST) ] || touch $@

.venv-spark/.made .venv-airflow/.made .venv-kfp/.made: .venv-%/.made: tests/deploy/requirements-%.txt $(PYTHON_ENV) | .venv/.runtime
	$(PYTHON_ENV) --engine $*
	[ ! -x .venv-$*/bin/python ] || touch $@

.venv/.dev: requirements-dev.lock $(PYTHON_ENV) | .venv/.runtime
	$(PYTHON_ENV) requirements-dev.lock
	touch $@

node_modules/.installed: package-lock.json .npmrc
	command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer, then run make again"; exit 1; }
	echo "Installing JavaScript packages"
	$(NPM) ci --loglevel=error
	touch $@

node_modules/.labextension: node_modules/.installed $(SOURCES) $(CONFIG) | .venv/.runtime
	echo "Building the JupyterLab extension"
	PATH="$(CURDIR)/$(BIN):$$PATH" $(NPM) run --silent build:prod >node_modules/.labextension.log 2>&1 || { cat node_modules/.labextension.log; exit 1; }
	touch $@

.venv/.installed: node_modules/.labextension $(WHEEL_CONFIG) | .venv/.runtime
	$(PYTHON_ENV) --editable
	touch $@
