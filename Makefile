# Every target does its own set-up into .venv; see scripts/setup.sh for what it may install.
# PYTHON=python3.12 picks the interpreter, PYTEST_ARGS adds arguments to pytest, PYTEST_WORKERS
# says how many processes share the tests.

PYTHON ?= python3
PYTEST_ARGS ?=
PYTEST_WORKERS ?= auto
export PYTHON

VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

help:
	@echo 'make demo    classify photographs with generated C, beside the float model'
	@echo 'make test    all tests, on this machine and on emulated Cortex-M boards'
	@echo 'make lint    ruff and mypy'
	@echo 'make bench   measure generated code'
	@echo 'make setup   everything that make test needs, without running it'
	@echo 'make clean   remove what the other targets made, except .venv'

setup:
	@bash scripts/setup.sh test

demo:
	@bash scripts/setup.sh demo
	@bash scripts/fetch_examples.sh
	@$(VENV_PYTHON) examples/demo.py

# A test that lacks a tool fails here instead of skipping.
test:
	@bash scripts/setup.sh test
	@bash scripts/fetch_examples.sh
	S2C_REQUIRE_TOOLS=1 $(VENV_PYTHON) -m pytest -n $(PYTEST_WORKERS) --dist loadfile $(PYTEST_ARGS)

lint:
	@bash scripts/setup.sh test
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m mypy

bench:
	@bash scripts/setup.sh test
	@bash scripts/fetch_examples.sh
	$(VENV_PYTHON) bench/run.py

clean:
	rm -rf build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache
