# Two commands do everything on a fresh machine: `make train` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
# Two processes, each with whole files: most of a test is one thread.
TWO := -n 2 --dist loadfile
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help train about test check lint notebooks outputs playground playground-test clean
help:
	@echo "make train      set up .venv and train the MNIST chapter on the embedded digits (resumes if interrupted)"
	@echo "make test       set up .venv and run everything: unit tests, and every notebook, solutions included, in its smoke profile"
	@echo "make check      style, spelling and links, and the fast tests: a minute"
	@echo "make notebooks  open JupyterLab"
	@echo "make outputs CHAPTER=01_mnist   run a notebook and keep its outputs"
	@echo "make playground build the playground and serve it (needs node; sets up .venv); make playground-test tests it in Chromium"
	@echo "make clean      remove .venv and caches; runs/ stays"

train: about .venv/installed
	@echo "Training ... (stop with Ctrl-C; make train goes on from there)"
	@$(BIN)/python -m dcgan_tf train mnist

about:
	@echo "make train: sets up .venv (a few minutes, about 2 GB; once), then trains on handwritten digits:"
	@echo "9,000 steps; a bar shows how long the others take on this machine."
	@echo "Pictures appear in runs/mnist/samples/ as it trains."

test: .venv/installed-dev
	$(BIN)/python notebooks/solved.py
	$(BIN)/python -m pytest tests solved --nbval-lax --nbval-current-env $(TWO) --durations 5

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

check: lint
	$(BIN)/python -m pytest tests -q -m "not slow" $(TWO)

notebooks: .venv/installed-dev
	$(BIN)/jupyter lab --notebook-dir=.

outputs: .venv/installed-dev
	$(BIN)/python notebooks/run.py $(CHAPTER)

playground: playground/node_modules/installed playground/public/generators/index.json
	cd playground && npm run build && npm run serve

playground-test: playground/node_modules/installed playground/public/generators/index.json
	cd playground && npm run build && npm test

playground/public/generators/index.json: playground/generators.py $(wildcard dcgan_tf/*.py dcgan_tf/*/*.py weights/*.npz) | .venv/installed-dev
	@echo "Exporting the released generators for the playground ..."
	@PYTHONPATH=. $(BIN)/python playground/generators.py

playground/node_modules/installed: playground/package-lock.json
	cd playground && npm ci --no-audit --no-fund
	@touch $@

clean:
	rm -rf playground/node_modules playground/dist playground/public playground/tests/expected
	if [ -e .venv/.dcgan_tf ] || [ -e .venv/installed ]; then rm -rf .venv; fi
	if [ -e solved/.dcgan_tf ]; then cd solved && rm -f $$(cat .dcgan_tf) .dcgan_tf; fi
	rm -rf .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements.txt constraints.txt
	@echo "Setting up .venv ..."
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		(echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..." >&2; exit 2)
	@if [ -e .venv ] && [ ! -e .venv/.dcgan_tf ] && [ ! -e .venv/installed ]; then \
		echo ".venv was not made by make: move it away, or install with pip install ." >&2; exit 2; fi
	@rm -rf .venv && mkdir .venv && touch .venv/.dcgan_tf && $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -r requirements.txt -c constraints.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "Setting up the tools for tests and notebooks ..."
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt -c constraints.txt
	@touch $@
