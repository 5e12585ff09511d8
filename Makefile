# Needs python3 (3.11 or later) with venv, and make; everything else goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY  := $(VENV)/.ready
PEERS  := $(VENV)/.peers
# The tests start hundreds of processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo web test test-slow lint docs format bench peers clean

help:
	@echo "make demo    import an example workbook into an embedded directory, and show what happened"
	@echo "make web     show the import as pages, with the example customers; Ctrl-C stops it"
	@echo "make test    run the tests (make test-slow: the long ones, as CI does too)"
	@echo "make lint    ruff, mypy, import-linter"
	@echo "make bench   measure it with sheets of 10,000 and 100,000 rows, beside what one would take instead (ROWS=1000000)"
	@echo "make docs    the documentation as a site, in the folder site"
	@echo "make clean   remove .venv, the demo and the site"

# Set up anew whenever the dependencies change.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'musterroll needs Python 3.11 or later')"
	@test -d $(VENV) || { echo "Making a Python environment in $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing musterroll, what it needs and the test tools into $(VENV): once, about half a minute ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@

demo: $(READY)
	@echo "Importing the example workbook into the folder demo ..."
	@$(BIN)/python examples/demo.py

# The examples themselves stay as they are: what is imported goes into the copies. That of lakeside comes with a plugin
# that is to be installed.
web: $(READY)
	@rm -rf demo-web && mkdir demo-web && cp -r $(filter-out examples/lakeside/,$(wildcard examples/*/)) demo-web/
	@cd demo-web && ../$(BIN)/python -m musterroll_cli web .

test: $(READY)
	@$(BIN)/python -m pytest -n auto -q -m "not slow"

test-slow: $(READY)
	@$(BIN)/python -m pytest -n auto -q -m slow

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

# What it needs is no part of the tests, so it is installed when it is first wanted.
docs: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html is the documentation"

format: $(READY)
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

# What musterroll is measured against: for that, and for the test that the comparison is fair.
$(PEERS): $(READY)
	@echo "Installing what musterroll is compared with ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench]"
	@touch $@

peers: $(PEERS)

bench: $(PEERS)
	@$(BIN)/python benchmarks/bench.py $(if $(ROWS),--rows $(ROWS)) $(OPTIONS)

clean:
	rm -rf $(VENV) demo demo-web site
