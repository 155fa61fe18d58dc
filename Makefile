# Rota: `make help` says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
WITH_TESTS := $(VENV)/installed-with-tests
# One more than there are processors: many tests wait for processes rather than compute.
WORKERS ?= $(shell expr $$(nproc) + 1)

.DEFAULT_GOAL := help
.PHONY: help install demo demo-slurm test test-long bench bench-replay bench-forecast bench-slurm bench-failover lint types imports clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(INSTALLED)  ## install Rota into .venv

$(INSTALLED): pyproject.toml
	@$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(WITH_TESTS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	@touch $@

demo: $(INSTALLED)  ## a sample laboratory on this machine, with a live board; Ctrl-C stops everything
	@$(BIN)/python examples/sample_lab.py $(DEMO)

demo-slurm: $(INSTALLED)  ## jobs rotate on a Slurm of four nodes, one of which dies; ends by itself, KEEP=1 stays up
	@scripts/system-packages slurm
	@$(BIN)/python examples/slurm_lab.py $(if $(KEEP),--keep) $(DEMO)

test: $(WITH_TESTS)  ## all tests that take seconds
	@scripts/system-packages
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not long"

test-long: $(WITH_TESTS)  ## the tests that take minutes: 10,000 simulated days, 200 kills, 300 turns
	@scripts/system-packages
	$(BIN)/python -m pytest -q -n $(WORKERS) -m long

bench: $(WITH_TESTS)  ## how fast it feels: medians beside a baseline
	$(BIN)/python -m bench

bench-replay: $(WITH_TESTS)  ## what the policy must show, with targets; TRACES=DIR for real traces, QUICK=1 for a minute
	$(BIN)/python -m bench.replay $(if $(TRACES),--traces $(TRACES)) $(if $(QUICK),--quick)

bench-forecast: $(WITH_TESTS)  ## what forecasts must show, with targets; TRACES=DIR for real traces, QUICK=1 for a minute
	$(BIN)/python -m bench.forecast $(if $(TRACES),--traces $(TRACES)) $(if $(QUICK),--quick)

bench-slurm: $(WITH_TESTS)  ## turns in a real Slurm: how soon they begin, what asking costs, how many a minute
	@scripts/system-packages
	$(BIN)/python -m bench.slurm

bench-failover: $(WITH_TESTS)  ## how long a laboratory is without Rota when a head node is lost
	$(BIN)/python -m bench.failover

lint: $(WITH_TESTS)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(WITH_TESTS)  ## types
	$(BIN)/mypy

imports: $(WITH_TESTS)  ## the arrows of the architecture
	$(BIN)/lint-imports

clean:  ## remove what was installed and made
	rm -rf $(VENV) demo-state screenshots .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
