# What a developer types: `make check` before a commit, `make full` before a release.
# PYTHON is any interpreter that has the package with its extras train and test.
PYTHON ?= python
BIN := $(dir $(shell command -v $(PYTHON)))
# Two cores: tests of one file stay in one process, so that what it makes once is made once.
WORKERS ?= 2

.PHONY: check lint types tests full

check: ## lint and types beside the tests
	$(MAKE) --no-print-directory -j 2 lint-and-types tests

.PHONY: lint-and-types
lint-and-types: lint types

lint: ## style, formatting, import contracts
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)lint-imports

types:
	$(BIN)mypy radtui

tests:
	$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile

full: ## data sets of the field where RADTUI_FIELD_CASES names their folder, and the quick faults
	$(PYTHON) -m tests.field_cases
