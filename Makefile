PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test fuzz check slow bench docs clean

# pytest runs one process per core: threads of their own would only get in each other's way
test fuzz slow: export OMP_NUM_THREADS = 1
test fuzz slow: export OPENBLAS_NUM_THREADS = 1

demo: .venv/train
	$(BIN)/primum demo --out demo-run

test: .venv/test
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

# new surprises: other examples of every property at each run, and 5,000 changed inputs over every verb;
# SEED=… repeats one
fuzz: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
fuzz: .venv/test
	@echo "seed $(SEED)"
	FUZZ_CASES=5000 FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -q -n auto -m fuzz
	$(BIN)/python -m pytest -q -n auto -m hypothesis --hypothesis-profile fuzz --hypothesis-seed $(SEED)

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: .venv/test
	$(BIN)/python -m pytest -q -n auto --override-ini addopts= tests/slow

bench: .venv/test
	$(BIN)/python -m benchmarks

# pages that open from a folder, in site/
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/train: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[train,offline]'
	touch $@

.venv/test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[train,offline,explore,test]'
	touch $@ .venv/train

.venv/docs: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv demo-run site
