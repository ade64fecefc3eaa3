PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check slow bench clean

# pytest runs one process per core: threads of their own would only get in each other's way
test slow: export OMP_NUM_THREADS = 1
test slow: export OPENBLAS_NUM_THREADS = 1

demo: .venv/train
	$(BIN)/primum demo --out demo-run

test: .venv/test
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: .venv/test
	$(BIN)/python -m pytest -q -n auto --override-ini addopts= tests/slow

bench: .venv/test
	$(BIN)/python -m benchmarks

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/train: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[train,offline]'
	touch $@

.venv/test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[train,offline,explore,test]'
	touch $@ .venv/train

clean:
	rm -rf .venv demo-run
