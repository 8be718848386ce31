# What a developer types: `make check` before a commit, `make full` before a release.
# PYTHON is any interpreter that has the package with its extras train and test.
PYTHON ?= python
BIN := $(dir $(shell command -v $(PYTHON)))
# Workers that tests start give way to the app, and tests of the app wait for most of their time: what only computes
# gives way to both, so that all end at about the same time.
LATER := nice -n 10
# Tests start hundreds of processes: each module is compiled once, not in each of them, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: check lint types tests full

check: ## lint, types and tests, all beside each other; tests in plain processes
	$(MAKE) --no-print-directory -j 6 tests-tui tests-worker tests-unit lint-and-types

.PHONY: lint-and-types
lint-and-types: lint types

lint: ## style, formatting, import contracts
	$(LATER) $(BIN)ruff check .
	$(LATER) $(BIN)ruff format --check .
	$(LATER) $(BIN)lint-imports

types: ## radtui and tools strictly; of tests, that what they name is there
	$(LATER) $(BIN)mypy radtui tools
	$(LATER) $(BIN)mypy --config-file tests/mypy.ini tests

.PHONY: tests-worker tests-worker-1 tests-worker-2 tests-tui tests-tui-1 tests-tui-2 tests-unit
tests: tests-worker tests-tui tests-unit

tests-worker: tests-worker-1 tests-worker-2 ## what trains and describes, in two halves by the names of files

tests-worker-1:
	$(PYTHON) -m pytest tests/worker/test_[a-l]*.py

tests-worker-2:
	$(PYTHON) -m pytest tests/worker/test_[!a-l]*.py

tests-tui: tests-tui-1 tests-tui-2 ## the app, which waits as much as it computes: in two halves too

tests-tui-1:
	$(PYTHON) -m pytest tests/tui/test_[a-o]*.py

tests-tui-2:
	$(PYTHON) -m pytest tests/tui/test_[!a-o]*.py

tests-unit:
	$(LATER) $(PYTHON) -m pytest tests/unit

full: ## what takes longer, in four rows beside each other
	$(MAKE) --no-print-directory -j 4 slurm faults long coverage

.PHONY: slurm faults long coverage
slurm: ## jobs under a real Slurm, which is started for them, where it is installed: they wait most of the time
	$(PYTHON) -m pytest -m slurm tests/worker

faults: ## data sets of the field where RADTUI_FIELD_CASES names their folder, then the quick faults
	$(PYTHON) -m tests.field_cases
	$(PYTHON) -m pytest -m faults tests/faults

long: ## what learns for minutes, and rarer families
	$(LATER) $(PYTHON) -m pytest -m long tests/worker

coverage: ## a floor for the share of lines that the unit tests run, in pyproject.toml: counting is a third of their time
	$(LATER) $(PYTHON) -m coverage run -m pytest tests/unit
	$(PYTHON) -m coverage report --format=total
