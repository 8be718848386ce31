# What a developer types: `make check` before a commit, `make full` before a release.
# PYTHON is any interpreter that has the package with its extras train and test.
PYTHON ?= python
BIN := $(dir $(shell command -v $(PYTHON)))

.PHONY: check lint types tests full

check: ## lint and types, the app's tests and the worker's beside each other
	$(MAKE) --no-print-directory -j 3 lint-and-types tests-app tests-worker

.PHONY: lint-and-types
lint-and-types: lint types

lint: ## style, formatting, import contracts
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)lint-imports

types: ## radtui and tools strictly; of tests, that what they name is there
	$(BIN)mypy radtui tools
	$(BIN)mypy --config-file tests/mypy.ini tests

.PHONY: tests-app tests-worker
tests: tests-app tests-worker

tests-app: ## everything but what trains and describes
	$(PYTHON) -m pytest tests --ignore tests/worker

tests-worker:
	$(PYTHON) -m pytest tests/worker

full: ## data sets of the field where RADTUI_FIELD_CASES names their folder, and the quick faults
	$(PYTHON) -m tests.field_cases
	$(PYTHON) -m pytest -m faults tests/faults
