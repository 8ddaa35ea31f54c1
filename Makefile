# make demo     a first program, from nothing to its result
# make test     everything that continuous integration runs
# make check    style, types and the fast tests
# make bench    the benchmarks
# make api      coverage of TensorFlow 1.15's public names
# make golden   record what real TensorFlow 1.15 gives for new or changed cases
# make oracle   run cases and programs in both, side by side, and each other's graphs
# make size     lines by room; fails when a file has more than 800

PYTHON ?= python3
# An interpreter that has tensorflow-cpu 1.15.0; only golden and oracle need it.
ORACLE ?= python3.7

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.stamp
JOBS ?= 2
TYPED := relight/graph relight/engine relight/formats
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check style types fast bench golden oracle api size clean have-oracle

help:
	@sed -n 's/^# make/make/p' Makefile

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --upgrade pip
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: $(STAMP)
	OMP_NUM_THREADS= $(PY) -m relight demo

test: style types size $(STAMP)
	$(PY) -m pytest -n $(JOBS)

check: style types fast

style: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) tools/namespaces.py --check

types: $(STAMP)
	$(PY) -m mypy $(TYPED)

fast: $(STAMP)
	$(PY) -m pytest -n $(JOBS) -m "not slow"

bench: $(STAMP)
	OMP_NUM_THREADS= $(PY) -m benchmarks

api: $(STAMP)
	$(PY) tests/tools/api.py

have-oracle:
	@$(ORACLE) -c 'import tensorflow as tf; assert tf.__version__ == "1.15.0", tf.__version__' \
	  2>/dev/null || { echo "'$(ORACLE)' has no TensorFlow 1.15.0. With Python 3.7:"; \
	  echo "  python3.7 -m venv oracle && oracle/bin/pip install tensorflow-cpu==1.15.0 'protobuf<3.21' 'numpy<1.19' 'h5py<3'"; \
	  echo "then: make golden ORACLE=oracle/bin/python"; exit 1; }

golden: $(STAMP) have-oracle
	ORACLE="$(ORACLE)" $(PY) tests/tools/golden.py
	ORACLE="$(ORACLE)" $(PY) tests/tools/curves.py
	ORACLE="$(ORACLE)" $(PY) tests/tools/graphs.py
	ORACLE="$(ORACLE)" $(PY) tests/tools/exchange.py

oracle: $(STAMP) have-oracle
	ORACLE="$(ORACLE)" $(PY) tests/tools/oracle.py
	ORACLE="$(ORACLE)" $(PY) tests/tools/exchange.py --live

size:
	@$(PYTHON) tools/size.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
