# The whole interface: demo, test, test-fast, lint, format, docs, bench, true-shape, train, plot-log, evaluate, methods, lab,
# findings; what makes files of the repository: world, samples, screenshot, notebook, lock; checks: compat, audit, container,
# fuzz, load, soak, hostile, lab-test; lmms sets up lmms-eval. Each sets up what it needs.
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEV := $(VENV)/.dev
LMMS := .venv-lmms
NODE_MODULES := node_modules/.ready
SCRIPTS := node_modules/.bin
WITH_NODE := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# The first interpreter that starts and is Python 3.11 or 3.12.
BASE := $(shell for p in python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1
unexport PYTHONDONTWRITEBYTECODE # or every worker compiles the tests anew, 5 s each

.PHONY: demo test test-fast lint format docs bench true-shape train plot-log evaluate methods lab lab-test findings fuzz load soak \
  hostile world samples screenshot notebook lock compat audit container chromium lmms clean

# make demo MODEL=… for a Hub id or a folder; without it for a checkpoint that lies in the Hub's cache already, if one fits.
MODEL := $(or $(AIM_MODEL),auto)
demo: $(READY)
	$(PY) app.py --model "$(MODEL)"

# In one process more than there are cores, four at most: while browser tests wait for the app, others go on.
PARALLEL := --dist loadfile --no-loadscope-reorder
WORKERS = $(shell $(BASE) -c "import os; print(min(4, os.cpu_count() + 1))")
test: $(DEV) $(NODE_MODULES) chromium lmms
	$(PY) -m pytest -n $(WORKERS) $(PARALLEL)

# For daily work without the browser, the server, the training and what is slow.
test-fast: $(DEV)
	$(PY) -m pytest -n auto --maxprocesses 4 $(PARALLEL) -m "not browser and not slow"

# Films of every kind judged frame by frame, 1,000 changed files, 1,500 extreme numbers in headers, traps and bombs; beside
# ffmpeg's own frames where it is. Then every number of a saved run set to extremes.
fuzz: $(DEV)
	$(PY) -m tools.fuzz
	EXTREMES=100000 $(PY) -m pytest tests/page/test_saved_run_numbers.py -q

lint: $(DEV) $(NODE_MODULES)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@find page -name '*.pyi' -delete # Gradio writes these; they would be checked in place of the files they are made of
	$(VENV)/bin/mypy
	$(VENV)/bin/codespell
	$(WITH_NODE) $(SCRIPTS)/tsc --project jsconfig.json
	$(WITH_NODE) $(SCRIPTS)/biome check --error-on-warnings
	$(SITE)

# The documentation as a site in site/; a broken link or reference is an error.
SITE := NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
docs: $(DEV)
	$(SITE)

format: $(DEV) $(NODE_MODULES)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(WITH_NODE) $(SCRIPTS)/biome check --write

bench: $(DEV)
	$(PY) -m benchmarks

# Random checkpoints as large as the smallest released ones, made, loaded and asked: minutes and up to 8 GB.
true-shape: $(DEV)
	$(PY) -m benchmarks.true_shape

train: $(DEV)
	$(PY) -m training.train

evaluate: $(DEV)
	$(PY) -m training.evaluate

# All methods at one cost; ended and begun again it goes on where it stood. SET is held_out or wide.
SET := held_out
PROCESSES := 1
methods: $(DEV)
	$(PY) -m training.method_table --set $(SET) --processes $(PROCESSES)

# The budget solver beside the released schedule on held-out questions; ended and begun again it goes on where it stood.
lab: $(DEV)
	$(PY) -m training.lab --processes $(PROCESSES)

# What needs Parquet and a Ray cluster, in an environment of its own, VENV_LAB.
VENV_LAB := .venv-lab
lab-test: requirements-lab.lock
	$(BASE) -m venv $(VENV_LAB)
	$(VENV_LAB)/bin/python -m pip install --quiet -r requirements-lab.lock
	$(VENV_LAB)/bin/python -m pytest tests/aim_lab

plot-log: $(DEV)
	$(PY) -m training.plot_log

# Another seed: .venv/bin/python -m training.train --seed 4 --folder runs/seed4 --out runs/seed4/model
# Several models: make findings MODELS="assets/model runs/seed4/model"
MODELS := assets/model
findings: $(DEV)
	$(PY) -m training.findings $(MODELS)

# 8 and 32 visitors at once, each with a browser's own protocol, 32 that come and go for 20
# minutes, and one beside a stranger who means ill; see docs/load.md.
load: $(DEV)
	$(PY) -m tools.load load --keep
soak: $(DEV)
	$(PY) -m tools.load soak --keep
hostile: $(DEV)
	$(PY) -m tools.load hostile --keep

# What tells the embedded model's world from others, fitted to its weights: assets/model/world.json.
world: $(DEV)
	$(PY) -m training.world_score

samples: $(DEV)
	$(PY) -m training.samples
	$(PY) -m training.flips
	$(PY) -m page.exports.opening

# The pictures in the README and the documentation, taken by browser tests.
screenshot: $(DEV) chromium
	SCREENSHOTS=1 $(PY) -m pytest tests/browser/test_main_job.py tests/browser/test_pictures.py tests/browser/test_compare.py
	cp -r screenshots/explorer.webp screenshots/tour assets/
	$(PY) -m page.exports.methods_picture
	$(PY) -c "from PIL import Image, ImageOps; ImageOps.contain(Image.open('screenshots/readme.png').convert('RGB'), (1320, 1600)).save('assets/screenshot.png', optimize=True)"
	$(PY) -c "from PIL import Image, ImageOps; ImageOps.contain(Image.open('screenshots/compare.png').convert('RGB'), (1200, 3000)).save('assets/compare.webp', quality=80)"

# The notebook in the documentation, run from its first cell to its last.
notebook: $(DEV)
	$(PY) -m tools.notebook

# Exact versions from the ranges in pyproject.toml; what is locked stays where it can.
# Newer ones: make lock UPGRADE=--upgrade, or UPGRADE="--upgrade-package gradio".
lock: $(DEV)
	$(PY) -m tools.lock $(UPGRADE)

# The engine's tests on the lowest, the locked and the newest libraries; one of them: make compat ENV=newest.
compat: $(DEV)
	$(PY) -m tools.compat $(ENV)

# Known vulnerabilities of all that is locked.
audit: $(DEV)
	$(PY) -m pip_audit --disable-pip --no-deps --requirement requirements-dev.lock

# The Dockerfile built without Docker, as root: apt-get install buildah debootstrap. Options of its build: make container BUILD="…"
container: $(DEV)
	$(PY) -m tools.container $(BUILD)

# What the page needs, and what the tests, benchmarks and training need on top.
$(READY): requirements.lock
	@test -n "$(BASE)" || { echo "AIM Explorer needs Python 3.11 or 3.12; none was found."; exit 1; }
	$(BASE) -m venv $(VENV)
	$(PY) -m pip install --quiet -r requirements.lock
	@touch $@

$(DEV): $(READY) requirements-dev.lock
	$(PY) -m pip install --quiet -r requirements-dev.lock
	@touch $@

# lmms-eval in an environment of its own, which sees the packages of this one that it does not hold back: 15 s, 0.4 GB.
lmms: $(LMMS)/.ready
$(LMMS)/.ready: $(DEV) requirements-lmms.lock
	$(PY) -m venv --clear --without-pip $(LMMS)
	$(PY) -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > $$($(LMMS)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth
	PIP_PYTHON=$(LMMS)/bin/python $(PY) -m pip install --quiet --no-deps -r requirements-lmms.lock
	@touch $@

# What checks the page's scripts, as package-lock.json has it; node is in the development requirements.
$(NODE_MODULES): $(DEV) package-lock.json
	$(WITH_NODE) npm ci --no-audit --no-fund
	@touch $@

# Browser tests drive Debian's Chromium: the build without a window where there is one, which takes a third less time.
chromium:
	@has() { command -v $$1 >/dev/null; }; any() { has chromium || has chromium-browser; }; \
	SUDO=$$(test "$$(id -u)" = 0 || echo sudo); INSTALL="$$SUDO apt-get install -y -qq --no-install-recommends"; \
	has chromium-headless-shell || { any && test -n "$$SUDO"; } || { \
	  any || $$SUDO apt-get update -qq; \
	  { apt-cache show chromium-headless-shell >/dev/null 2>&1 && $$INSTALL chromium-headless-shell; } || \
	    any || $$INSTALL chromium; }

clean:
	rm -rf $(VENV) $(LMMS) $(VENV_LAB) node_modules .pytest_cache .ruff_cache .hypothesis .cache site
