# One verb each; 'make help' lists them. Everything runs in .venv, made on first use.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# One thread per library: the fastest per CPU second, and no fight over cores.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo serve check test test-deep test-langgraph test-integrations test-vllm reliability cover bench bench-speed bench-serving bench-prefix bench-peers
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: $(STAMP) ## the virtual environment, with the server and the developer's tools

# torch first and alone: with its version settled, nothing after it can pull another build of it.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable '.[server,dev]'
	@touch $@

demo: $(STAMP) ## the service on example conversations, in a minute
	$(BIN)/aimem demo

serve: $(STAMP) ## the service on loopback
	$(BIN)/aimem serve

check: $(STAMP) ## style, types, import rules, and what the wheel holds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/e2e/test_wheel.py

test: $(STAMP) ## the fast tests
	$(BIN)/python -m pytest

test-deep: $(STAMP) ## every test, release-sized ones too
	$(BIN)/python -m pytest -m 'not gpu and not vllm'

test-vllm: $(STAMP) ## a real vLLM on the CPU, in its own environment: 3.5 GB, minutes; writes docs/vllm-transcript.md
	$(BIN)/python -m pytest -m vllm -o faulthandler_timeout=0 tests/vllm

test-langgraph: $(STAMP) ## LangGraph's own store tests, in the version of docs/integrations.md, against a live server
	$(BIN)/python -m tests.integrations.environments --as-noted langgraph

test-integrations: $(STAMP) ## every framework, each in environments of its own: make test-integrations ONLY=haystack
	$(BIN)/python -m tests.integrations.environments $(ONLY)

reliability: $(STAMP) ## docs/reliability.md, from what the tests of promises print
	$(BIN)/python docs/reliability.py

cover: $(STAMP) ## the fast tests, with coverage over all rooms
	$(BIN)/python -m pytest --cov --cov-report=term-missing

bench: $(STAMP) ## retrieval quality on a folder of evaluation sets: make bench DATA=DIR
	$(BIN)/aimem bench retrieval --data $(DATA)

bench-speed: $(STAMP) ## what a query costs over doing the least, and sixteen clients at once
	$(BIN)/python -m benchmarks.speed --exact --out benchmarks/speed.json
	$(BIN)/python -m benchmarks.clients --out benchmarks/clients.json

bench-serving: $(STAMP) ## 32 streams through the service and through bare vLLM: make bench-serving MODEL=DIR
	$(BIN)/python -m benchmarks.serving $(MODEL) --out benchmarks/serving.json -- $(OPTIONS)

bench-prefix: $(STAMP) ## what a model server's prefix cache holds of a session's prompts: make bench-prefix MODEL=DIR
	$(BIN)/python -m benchmarks.prefix_served $(MODEL) --out benchmarks/prefix.json -- $(OPTIONS)

bench-peers: $(STAMP) ## the same questions to mem0, Chroma, LangGraph, LlamaIndex, txtai: make bench-peers DATA=DIR
	$(BIN)/python -m benchmarks.peers.run --data $(DATA) $(if $(SETS),--sets $(SETS)) $(if $(PEERS),--peers $(PEERS))
	$(BIN)/python -m benchmarks.peers.tables
