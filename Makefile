# The commands of this project. PYTHON is any Python with `pip install -e '.[dev]'`.
PYTHON ?= python3

.PHONY: test e2e lint golden docs bench api

test: ## unit tests and golden cases, without Envoy
	$(PYTHON) -m pytest -q -m "not e2e"

e2e: ## real Envoy, real clients
	$(PYTHON) -m pytest -q -m e2e

lint: ## format, style, types, layers, generated documents
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	lint-imports
	$(PYTHON) scripts/generate_docs.py --check

golden: ## write the expected files of tests/cases anew; read the diff
	$(PYTHON) -m pytest -q tests/test_cases.py --golden

docs: ## write docs/problems.md and docs/fields.md anew
	$(PYTHON) scripts/generate_docs.py

bench: ## figures: CPU per request, and how fast a change is live
	$(PYTHON) -m bench

api: ## write mizzen/_api anew from the installed Envoy
	$(PYTHON) scripts/generate_api.py
