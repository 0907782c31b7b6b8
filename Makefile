# Two commands matter: `make run` opens the cockpit, `make test` runs every test.
# Both need only Python >= 3.11 and make; everything else is installed below this folder.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_SYSTEM_CERTS := 1
UV := $(BIN)/uv
STAMPS := .stamps
NS := build/ns/smart_reach
ROOMS := agents api engine evals graphs knowledge prompts tools ui
WEB_SOURCES := $(shell find ui/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
say = @printf '\033[1;35m▸\033[0m %s\n' "$(1)"

.PHONY: help run test check bench clean lock web install dev

help: ## say what can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: install web ## start the cockpit on http://127.0.0.1:8000 (first run makes a demo bank)
	@$(BIN)/smart-reach serve

test: dev web ## run every test
	@$(BIN)/python tests/browser/provide_chromium.py
	@mkdir -p artifacts
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: dev ## ruff, mypy, import rules, strict TypeScript
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@mkdir -p $(NS) && for room in $(ROOMS); do ln -sfn ../../../$$room $(NS)/$$room; done
	@MYPYPATH=build/ns $(BIN)/mypy -p smart_reach
	@PYTHONPATH=build/ns $(BIN)/lint-imports
	@$(BIN)/python deploy/web.py check

bench: dev ## run every benchmark
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done

web: $(STAMPS)/web ## build the pages

install: $(STAMPS)/install

dev: $(STAMPS)/dev

lock: $(UV) ## compile the lock files anew
	@$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url -c deploy/constraints.txt pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --extra dev --extra pinecone --extra feast -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove everything that make made, the demo bank too
	@rm -rf $(VENV) $(STAMPS) build dist artifacts .smart-reach ui/web/node_modules ui/web/dist *.egg-info

$(UV):
	$(call say,Making a Python environment in $(VENV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Smart Reach needs Python 3.11 or newer; run make with PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv

$(STAMPS)/install: requirements.lock pyproject.toml | $(UV)
	$(call say,Installing the Python packages (about 1.5 GB - the first time takes a minute or two))
	@$(UV) pip install -q --require-hashes -r requirements.lock
	@$(UV) pip install -q --no-deps -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/install | $(UV)
	$(call say,Installing the test tools)
	@$(UV) pip install -q --require-hashes -r requirements-dev.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/web: $(WEB_SOURCES) deploy/web.py | $(STAMPS)/install
	$(call say,Building the pages)
	@$(BIN)/python deploy/web.py build
	@mkdir -p $(STAMPS) && touch $@
