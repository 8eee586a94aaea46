# make help lists the targets. Everything happens inside .venv; nothing is installed elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

ifeq ($(OS),Windows_NT)
$(error On Windows the course runs inside WSL: 'wsl --install' gives you one, then give this command there)
endif

HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# Stamps: what builds the site is installed; everything is. A folder that was moved takes a .venv
# along that was made for another place, which stands in the stamp.
BOOK_READY := $(VENV)/.book-ready
READY := $(VENV)/.ready
PLACE := $(shell test -L $(VENV) && pwd -P || cat $(BOOK_READY) 2>/dev/null)
MOVED := $(if $(findstring [$(CURDIR)],[$(PLACE)]),,moved)
SITE := _build/html
# JAX, which the engine is compared with and the course does without.
BENCH := .venv-bench
# What the site is made from: when none of it is newer than the last build, there is nothing to do.
SOURCES := $(shell find book notebooks src benchmarks/results tests/surfaces/*.json _config.yml _toc.yml requirements-book.txt -type f \
	-not -path 'book/reference/*' -not -path book/static/lab/catalog.js -not -path book/static/phrasebook.js \
	-not -path '*/__pycache__/*' -not -path '*/.*/*' -not -path '*.egg-info/*' 2>/dev/null)

# TensorFlow is quiet, and it is the backend of Keras.
export TF_CPP_MIN_LOG_LEVEL := 3
export KERAS_BACKEND := tensorflow

.PHONY: help book serve test surfaces changes processors lint notebooks lab editions slides pdf bundle hub rehearse bench studies mutants wheels address clean
.PHONY: $(MOVED)

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */\1\t/' \
		| while IFS=$$'\t' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

$(READY): requirements.txt pyproject.toml $(MOVED)
	.ci/python .ci/install.py all

$(BOOK_READY): requirements-book.txt pyproject.toml $(MOVED)
	.ci/python .ci/install.py book

book: $(SITE)/.built  ## build the site (warnings are errors) into _build/html
	@echo "The book is ready: open $(SITE)/index.html in a browser, or run 'make serve'."

$(SITE)/.built: $(SOURCES) | $(BOOK_READY)
	rm -rf $(SITE)  # pages that are gone must not linger
	$(BIN)/jupyter-book build --quiet --all -W -n --keep-going .
	touch $(SITE)/.nojekyll $@

serve: book  ## serve the built site on http://localhost:8000 (HOST=... and PORT=... to change)
	$(BIN)/python -m http.server $(PORT) --bind $(HOST) --directory $(SITE)

test: $(READY) book  ## every check: lint, types, spelling, unit tests, notebooks re-executed, the site in a browser
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist loadfile tests
	$(BIN)/python -m tests.notebooks.compare

surfaces: $(READY)  ## run all chapters under the oldest, Colab's and the newest versions (gigabytes; NAMES=lowest for one)
	$(BIN)/python -m tests.surfaces.environments $(NAMES)

changes: $(READY)  ## what other versions do to each activation, beside what is recorded (NAMES="lowest newest")
	$(BIN)/python -m tests.surfaces.changes $(NAMES)

processors: $(READY)  ## run all chapters as older processors would, and compare what they print (NAMES=old for one)
	$(BIN)/python -m tests.surfaces.processors $(NAMES)

lint: $(READY)  ## ruff, mypy --strict, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

notebooks: $(READY)  ## re-execute every notebook from its .py twin and store the outputs (NAMES=02_relu for some)
	$(BIN)/python -m tests.notebooks.execute $(NAMES)

lab: $(READY)  ## open the chapters in JupyterLab (in a container: HOST=0.0.0.0)
	$(BIN)/jupyter lab --notebook-dir=notebooks --ip=$(HOST) $(if $(filter 0,$(shell id -u)),--allow-root)

editions: $(READY)  ## what a class gets: learner, live-coding, solutions, instructor, into _build/editions
	$(BIN)/python -m tests.notebooks.editions

slides: $(READY)  ## a deck for each chapter, one HTML file and its PDF, into _build/slides
	PYTHONPATH=book/_ext $(BIN)/python -m actlab_class.slides

pdf: $(READY) book  ## the whole book as one PDF with bookmarks and tagged figures, into _build/pdf
	PYTHONPATH=book/_ext $(BIN)/python -m actlab_class.paper

bundle: book pdf slides editions  ## site, PDF, slides, editions, course, data: one folder and zip for a room without network
	PYTHONPATH=book/_ext $(BIN)/python -m actlab_class.bundle

rehearse: $(READY)  ## the half-day track from the bundle, on a new account without a network, by the clock (Linux; ten minutes)
	$(BIN)/python -m tests.surfaces.offline

hub: $(READY)  ## a class of ten on a real JupyterHub, on this machine (needs npm and 15 GB of memory; ten minutes)
	$(BIN)/python -m tests.surfaces.hub

$(BENCH)/.ready: benchmarks/requirements.txt
	.ci/python -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --requirement $<
	touch $@

bench: $(READY) $(BENCH)/.ready  ## measure what the engine costs, three times (ten minutes); writes benchmarks/results
	$(BIN)/python -m benchmarks.ensemble --runs 3

studies: $(READY)  ## list the large experiments, or run some: NAMES="relu_training born_dead" (minutes to an hour each)
	$(BIN)/python -m actlab.study $(NAMES)

mutants: $(READY)  ## put small faults in, one at a time, and count how many the tests see (half an hour)
	$(BIN)/python -m tests.mutants $(WORDS)

wheels: $(BOOK_READY)  ## fetch the packages into the folder wheels, for a room without internet
	.ci/python .ci/install.py wheels

address:  ## set the repository's address everywhere: URL=https://github.com/OWNER/REPO
	.ci/python .ci/address.py '$(URL)'

clean:  ## remove everything that was built (keeps .venv)
	rm -rf _build
