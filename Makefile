# Everything from a clone: make book, make test. Needs Python 3.11, 3.12 or 3.13, git and make.

PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell command -v python$(version))) python3)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: book test install clean

book: install  ## execute every chapter at its published values and render the site
	$(BIN)/benign build

test: install  ## the whole test suite, a smoke build of the book among it
	$(BIN)/python -m pytest

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

clean:  ## everything that was made, the cache of finished trainings too; the virtual environment stays
	rm -rf _build
