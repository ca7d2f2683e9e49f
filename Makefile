# Two commands do everything on a fresh machine:  make run  and  make test;  make test-all adds what is slow
# Override what you like:  make run ARGS="--camera video.mp4"   make test PYTHON=python3.12

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c 'import sys; print(1 if (3, 11) <= sys.version_info < (3, 14) else "")' 2>/dev/null),$(p))))
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

# Python keeps what it compiled, also where the environment says no: tests start a hundred processes of the program.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-all check types compile-tests doctor bench system clean

run: $(VENV)/.installed
	@$(BIN)/python -m pose.model_asset || true
	$(BIN)/python main.py $(ARGS)

# Two processes more than there are cores (tests/conftest.py), eight at most. A worker that has no test left takes some of
# another's; what is built once per file is mostly built once.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

test: check
	$(PYTEST) -m "not slow"

test-all: check
	$(PYTEST)

check: $(VENV)/.installed-all
	@$(BIN)/python -m pose.model_asset || echo "the tests that need the pose model will be skipped"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory -j 2 types compile-tests

types:
	$(BIN)/mypy

# Meanwhile, on another core: pytest compiles the tests, which otherwise each of its processes would do for itself.
compile-tests:
	@$(BIN)/python -m pytest -m "not slow" --collect-only -qq > $(VENV)/collected 2>&1 || { cat $(VENV)/collected; exit 1; }

doctor: $(VENV)/.installed
	$(BIN)/python main.py --doctor

bench: $(VENV)/.installed
	$(BIN)/python main.py --bench demo $(ARGS)

# The shared libraries and the Python modules that a bare Debian or Ubuntu lacks.
system:
	@sh scripts/system_packages.sh "$(PYTHON)"

$(VENV)/bin/python: | system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-all: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[train,test]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info
