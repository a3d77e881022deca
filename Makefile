# Everything a newcomer needs: `make setup`, `make test`, `make demo`. Needs Python 3.11 or newer and a package index.

PYTHON ?= python3
BIN := .venv/bin
LOCK := build/lock

.PHONY: help setup test test-flink test-prism flink demo bench detectors scale lineage peers docs lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/stamp  ## install the package, its command and the tools of its developers into .venv

.venv/stamp: setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "cleartitle needs Python 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)" >&2; \
		echo "Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into .venv; this takes about a minute."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

test: setup  ## check format, style and types, and run all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m 'not flink and not prism'

test-flink: setup  ## run the tests that need a Flink cluster (skipped without Java and Maven)
	$(BIN)/python -m pytest -m flink tests/engines

test-prism: setup  ## run the tests that need Prism, a runner of Beam's (skipped without Go)
	$(BIN)/python -m pytest -m prism tests/engines

flink: setup  ## start a Flink cluster on this machine, and say how to run on it
	$(BIN)/python -m engines.flink up

demo: setup  ## curate a small crawl: fetch, write, run, show one dropped page and its witness
	@$(BIN)/python -m demo.write_crawl demo/data
	@rm -rf demo/dataset
	@$(BIN)/cleartitle curate demo/config.yaml --output demo/dataset
	@printf '\nA page that was dropped, beside the page that it repeats:\n\n'
	@$(BIN)/python -m demo.show_witness demo/dataset

bench: setup  ## measure a run against a plain copy, lists of millions of entries, rights signals
	$(BIN)/python -m benchmarks.curate
	$(BIN)/python -m benchmarks.lists
	$(BIN)/python -m benchmarks.rights
	$(BIN)/python -m benchmarks.constants

detectors: setup  ## measure what the detectors of rights signals find and miss
	$(BIN)/python -m benchmarks.notices
	$(BIN)/python -m benchmarks.identifiers

scale: setup  ## measure how time and memory grow from 100,000 to 1,000,000 documents
	$(BIN)/python -m benchmarks.scale

lineage: setup  ## measure what can be asked, on datasets of 10 million rows (20 GB of disk)
	$(BIN)/python -m benchmarks.lineage

peers: setup  ## compare with datatrove: make peers DATATROVE=/path/to/venv/bin/python
	$(BIN)/python -m benchmarks.datatrove_neardup --python $(DATATROVE)

docs: setup  ## write anew docs/config.md, columns.md, counters.md and scale.md
	$(BIN)/python -m configs.reference > docs/config.md
	$(BIN)/python -m schemas.reference > docs/columns.md
	$(BIN)/python -m transforms.counters > docs/counters.md
	$(BIN)/python -m benchmarks.scale_paper > docs/scale.md

lock:  ## write constraints.txt anew, with the newest versions that setup.py allows
	@$(PYTHON) -m venv --clear $(LOCK)
	@$(LOCK)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@{ echo "# Made by 'make lock' with $$($(PYTHON) --version): all that an install with the dev extra brings."; \
		$(LOCK)/bin/pip freeze --exclude-editable --disable-pip-version-check; } > $(LOCK)/constraints.txt
	@mv $(LOCK)/constraints.txt constraints.txt

clean:  ## remove all that these targets made, constraints.txt and docs excepted
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf demo/data demo/dataset benchmarks/data
	find . -name __pycache__ -prune -exec rm -rf {} +
