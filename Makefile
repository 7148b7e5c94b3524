# Everything from a clone: make book, pdf, test, test-all, bench. Needs Python 3.11, 3.12 or 3.13, git and make.

PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell command -v python$(version))) python3)
VENV ?= .venv
PEERS ?= .peers
BIN := $(VENV)/bin
# A file of tests stays with one worker, in our order: the book is built first, its pages are looked at last.
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=20

# Where it is set, in many containers, every process would compile all that it imports: six seconds each.
export PYTHONDONTWRITEBYTECODE =

.PHONY: book pdf test test-all bench install clean

book: install  ## execute every chapter at its published values and render the site
	$(BIN)/benign build

pdf: book  ## the whole book as one PDF; needs Chromium
	$(BIN)/benign pdf

test: install  ## the tests but for the slow ones, a smoke build of the book among them
	$(PYTEST) -m "not slow"

test-all: install  ## every test, and more examples of each property
	$(PYTEST) --hypothesis-profile=thorough

# BENCH='--rows 1,2 --again' passes options on; BENIGN_PEERS_PYTHON names an interpreter that has the peers already.
bench: install $(if $(BENIGN_PEERS_PYTHON)$(findstring --no-peers,$(BENCH)),,$(PEERS)/.installed)  ## measure side by side, results to benchmarks/results.json
	BENIGN_PEERS_PYTHON=$(or $(BENIGN_PEERS_PYTHON),$(PEERS)/bin/python) $(BIN)/python benchmarks/run.py $(BENCH)

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	# Python compiles what it imports; to compile all that is installed would take a minute more.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	@echo "Installing JAX and neural-tangents into $(PEERS), once: 2.5 GB, for they bring TensorFlow"
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

clean:  ## everything that was made, the cache of finished trainings too; virtual environments stay
	rm -rf _build
