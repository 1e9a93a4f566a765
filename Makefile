# All set-up is done by the targets themselves: a machine needs Python 3.10 or newer and make.
#
#   make demo        the whole loop on SQLite, with a small site on this machine
#   make test        everything that guards a change, but for the long tests
#   make search      looks for new examples against the property tests, for SEARCH_SECONDS
#   make help        the other targets
#
# Another Python: make test PYTHON=python3.13. More test processes: make test JOBS=4.

PYTHON ?= python3
JOBS ?= 2
SEARCH_SECONDS ?= 600

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
BENCHMARKS := $(sort $(filter-out %/__init__.py,$(wildcard tests/benchmarks/*.py)))
PYTEST := $(BIN)/pytest --numprocesses $(JOBS) --dist worksteal

.PHONY: help venv demo test test-long search lint bench pictures clean

help:
	@echo "make demo        the whole loop on SQLite, in the folder demo"
	@echo "make test        lint, types and tests"
	@echo "make test-long   the tests that take minutes"
	@echo "make search      new random examples against the property tests, for SEARCH_SECONDS=$(SEARCH_SECONDS)"
	@echo "make lint        ruff and mypy"
	@echo "make bench       the benchmarks"
	@echo "make pictures    the pictures of README and docs; takes Chromium"
	@echo "make venv        the virtual environment for development, in $(VENV)"
	@echo "make clean       removes what these targets made"

venv: $(DEV)

$(RUNTIME): pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON): install Python 3.10 or newer, or name one with PYTHON=." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "$(PYTHON) is older than Python 3.10: name a newer one with PYTHON=." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: $(RUNTIME)
	rm -rf demo
	$(BIN)/sg-migrate demo

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(PYTEST) -m "not long"

test-long: $(DEV)
	$(PYTEST) -m long

# It ends at the first failure, or when the time is up (timeout's 124). What it finds becomes an explicit @example of
# its test; the database of examples is .hypothesis.
search: $(DEV)
	@HYPOTHESIS_PROFILE=search timeout --signal=INT $(SEARCH_SECONDS) \
		sh -c 'while :; do $(PYTEST) -q -x -m hypothesis || exit 1; done'; \
	test $$? = 124 && echo "Nothing was found in $(SEARCH_SECONDS) s."

bench: $(DEV)
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script; done
	@$(if $(BENCHMARKS),,echo "There is nothing to measure in tests/benchmarks/.")

pictures: $(DEV)
	$(BIN)/python tests/pictures.py

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
