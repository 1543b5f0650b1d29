# The commands of this project. PYTHON is any Python with `pip install -e '.[dev]' -c requirements-dev.lock`.
PYTHON ?= python3

.PHONY: test e2e attack fuzz kubernetes e2e-kubernetes lint golden docs bench api lock

test: ## unit tests and golden cases, without Envoy
	$(PYTHON) -m pytest -q -m "not e2e and not kubernetes and not node"

e2e: ## real Envoy, real clients
	$(PYTHON) -m pytest -q -m e2e

attack: ## spellings, smuggling, fronting, forged headers and identities, large and slow clients: h1, h2, h3
	$(PYTHON) -m pytest -q -m attack

fuzz: ## YAML with nasty values against a real Envoy: each value, then at random for $$FUZZ_SECONDS (300) from $$FUZZ_SEED
	FUZZ_SECONDS=$${FUZZ_SECONDS:-300} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(PYTHON) -m pytest -q -s tests/e2e/test_fuzz_envoy.py

kubernetes: ## a real API server: that of $$KUBECONFIG, or one that is started
	scripts/on_cluster.sh api $(PYTHON) -m pytest -q -m kubernetes tests/kubernetes

e2e-kubernetes: ## the walk-through on a real node: that of $$KUBECONFIG, or one that is started
	scripts/on_cluster.sh node $(PYTHON) -m pytest -q -m node tests/kubernetes

lint: ## format, style, types, layers, generated documents
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	lint-imports
	$(PYTHON) -m scripts.generate_docs --check

golden: ## write the expected files of tests/cases and tests/plans anew; read the diff
	$(PYTHON) -m pytest -q tests/test_cases.py tests/test_plans.py --golden

docs: ## write docs/problems.md and docs/fields.md anew
	$(PYTHON) -m scripts.generate_docs

bench: ## figures: changes, starts, storms, many proxies, CPU per request; one, or a long one: python -m bench NAME
	$(PYTHON) -m bench

api: ## write mizzen/_api anew from the installed Envoy
	$(PYTHON) scripts/generate_api.py

lock: ## write requirements-dev.lock and requirements.lock anew: the exact versions of today
	$(PYTHON) scripts/lock.py
