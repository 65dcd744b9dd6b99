# The front door. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
CORES ?= all

# Build outputs do not depend on the user's locale, bytecode settings or matplotlib cache.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPATH :=
export PATH := $(CURDIR)/$(BIN):$(PATH)

# In the locale C neither pip nor Python can handle a folder with an umlaut.
ifneq ($(shell locale charmap 2>/dev/null),UTF-8)
export LC_ALL := C.UTF-8
endif

# Snakemake does not start without a cache among the user's; a home may be read-only.
ifeq ($(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}" 2>/dev/null && test -w "$${XDG_CACHE_HOME:-$$HOME/.cache}" && echo yes),)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif

.DEFAULT_GOAL := help
.PHONY: help install reproduce smoke paper verify report archive figures doctor test lint bench generate clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## Make .venv from requirements.lock

# Where the package lies. Python reads it in the user's locale: at an umlaut it would not start with LC_ALL=C.
EDITABLE := $(VENV)/lib/python3*/site-packages/__editable__.stagewise-*.pth

$(STAMP): $(VENV)/dependencies pyproject.toml
	@rm -f $(EDITABLE)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --no-deps --no-build-isolation --offline --python $(BIN)/python -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . ; \
	fi
	@for path in $(EDITABLE); do echo ../../../../src > "$$path"; done
	@# Hot loops are compiled on first use; do it once, here, instead of in several jobs at once.
	@$(BIN)/python -m stagewise.planning.warmup
	@touch $@

$(VENV)/dependencies: requirements.lock
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "There is no $(PYTHON) on this machine; install Python 3.11, 3.12 or 3.13, or say which one: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "$(PYTHON) is $$($(PYTHON) --version), but Python 3.11, 3.12 or 3.13 is needed (a locked package has no build for later ones); say which one: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks venv or pip; install them (on Debian: apt-get install python3-venv) and run make again"; exit 2; }
	@echo "Installing the locked environment into $(VENV) (about a minute with pip, seconds with uv)"
	@$(PYTHON) -m venv --clear $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --require-hashes --python $(BIN)/python -r requirements.lock ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock ; \
	fi
	@touch $@

reproduce: $(STAMP)  ## Rebuild every figure, table and verdict; then open figures/index.html
	@$(BIN)/snakemake --cores $(CORES)
	@cat results/verdicts.txt
	@echo "The page to read: figures/index.html"

smoke: $(STAMP)  ## Every kind of rule once, on tiny grids (results/smoke, figures/smoke)
	@$(BIN)/snakemake --cores $(CORES) --configfile config/smoke.yaml
	@cat results/smoke/verdicts.txt
	@echo "The page to read: figures/smoke/index.html"

paper: $(STAMP)  ## As reproduce, with MNIST, Fashion-MNIST and CIFAR-10 where they can be had
	@$(BIN)/stagewise fetch --configfile config/paper.yaml
	@$(BIN)/snakemake --cores $(CORES) --configfile config/paper.yaml results/paper/data_sets.yaml
	@cat results/paper/verdicts.txt
	@$(BIN)/stagewise archive-moments mnist $$(grep -owm1 cifar10 results/paper/data_sets.yaml) --check
	@echo "To compare it with reference/paper: $(BIN)/stagewise verify --run paper"
	@echo "The page to read: figures/paper/index.html"

verify: $(STAMP)  ## Compare the results with reference/, output by output and claim by claim
	@$(BIN)/snakemake --cores $(CORES) --quiet
	@$(BIN)/stagewise verify

report: $(STAMP)  ## Snakemake's own report, as results/report.html
	@$(BIN)/snakemake --cores $(CORES) --quiet
	@$(BIN)/snakemake --report results/report.html

archive: $(STAMP)  ## One zip of results, figures and sources, as an RO-Crate (results/stagewise.zip)
	@$(BIN)/snakemake --cores $(CORES) --quiet
	@$(BIN)/stagewise archive

figures: $(STAMP)  ## Draw every figure again from the results, without simulating (as from an archive)
	@$(BIN)/stagewise figures

doctor: $(STAMP)  ## Check this machine: Python, cores, memory, disk, data sets, write access
	@$(BIN)/stagewise doctor

test: $(STAMP)  ## The test suite; with STAGEWISE_RELEASE=1 what only a release needs as well
	@# One process takes a file, so that what its tests share is made once.
	@$(BIN)/python -m pytest -n auto --dist loadfile $(if $(STAGEWISE_RELEASE),,-m "not release")

lint: $(STAMP)  ## Formatting, style, types, workflow
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint
	@$(BIN)/mypy

bench: $(STAMP)  ## Speed of the engine against plain NumPy and the machine's matrix product
	@$(BIN)/python benchmarks/engine.py
	@$(BIN)/python benchmarks/moments.py
	@$(BIN)/python benchmarks/forecast.py
	@$(BIN)/python benchmarks/factorisation.py
	@$(BIN)/python benchmarks/stepping.py

generate: $(STAMP)  ## Rewrite what is generated: schema, config/README.md, verdicts and picture of the README
	@$(BIN)/stagewise generate

clean:  ## Remove results and figures (not .venv)
	@find results figures -mindepth 1 ! -name README.md -delete
	@rm -rf logs .snakemake
