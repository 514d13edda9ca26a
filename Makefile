# Everything that one does with this repository. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Some containers set it: then each of the many processes of a test run compiles our code anew.
unexport PYTHONDONTWRITEBYTECODE

python := .venv/bin/python
pip := $(python) -m pip install --quiet --disable-pip-version-check
native_sources := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Setting up. Each step leaves a stamp and is repeated only when what it depends on changes.

.PHONY: setup
setup: .venv/.installed ## Set up what is missing to run the system
	@:

.venv/.created: scripts/create-environment scripts/install-tools scripts/tools.sh
	@scripts/install-tools build
	@scripts/create-environment
	@touch $@

.venv/.packages: requirements.lock .venv/.created
	@echo 'Installing the packages of $<'
	@umask 022 && $(pip) --require-hashes --requirement $<
	@touch $@

# Last of what goes into that environment: two installations at once would disturb each other.
.venv/.development: requirements-dev.lock .venv/.packages | .venv/.installed
	@echo 'Installing the packages of $<'
	@umask 022 && $(pip) --require-hashes --requirement $<
	@touch $@

# Environments of their own: of the tests' S3 server and OpenID provider, and of what builds wheels.
.venv/.s3 .venv/.oidc .venv/.wheels: .venv/.%: requirements-%.lock .venv/.created
	@echo 'Installing the packages of $<'
	@umask 022 && $(python) -m venv --clear .venv/$*
	@umask 022 && .venv/$*/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement $<
	@touch $@

# The stamp alone does not tell when the library is gone.
ifeq ($(wildcard src/immuni/_core/_native*.so),)
.PHONY: .venv/.installed
endif
.venv/.installed: pyproject.toml $(native_sources) .venv/.packages
	@echo 'Building the native core'
	@umask 022 && PATH="$$PWD/.venv/bin:$$PATH" scripts/with-rust $(pip) --no-deps --no-build-isolation --editable .
	@touch $@

# --- Using it.

.PHONY: run
run: setup ## Run the whole system on this machine: database, services, portal, two phones
	@exec .venv/bin/immuni up

.PHONY: demo
demo: setup ## Tell the whole story without hands
	@exec .venv/bin/immuni demo

# --- Checking it.

.PHONY: test
test: setup .venv/.development .venv/.s3 .venv/.oidc ## Run every test
	@scripts/install-tools browser dbus hsm nginx promtool
	scripts/with-rust cargo test --quiet --workspace --locked
	@# Tests wait for much, for a moment or a process: three keep two cores busy.
	$(python) -m pytest --numprocesses 3 --dist worksteal --ignore tests/traffic
	$(python) -m pytest tests/traffic

.PHONY: check
check: lint types docs ## Check format, lint, types, layers, documentation, locks

.PHONY: lint
lint: setup .venv/.development ## Check all that `make check` does but types and documentation
	@scripts/install-tools lint
	$(python) -m ruff format --check
	$(python) -m ruff check
	.venv/bin/lint-imports
	scripts/with-rust cargo fmt --all --check
	scripts/with-rust cargo clippy --quiet --workspace --all-targets --locked -- --deny warnings
	$(python) scripts/check_locks.py
	$(python) scripts/check_links.py
	scripts/check-commits

.PHONY: types
types: setup .venv/.development ## Check the types
	$(python) -m mypy

.PHONY: docs
docs: setup .venv/.development ## Build the documentation into docs/_build
	$(python) -m sphinx --builder html --fail-on-warning --nitpicky --quiet docs docs/_build

.PHONY: fuzz
fuzz: setup .venv/.development ## Fuzz the reader of chunk files; seconds=N for longer than a minute
	$(python) -m tests.fuzz.fuzz_export --seconds $(or $(seconds),60)

.PHONY: chaos
chaos: setup .venv/.development ## Break publishing and uploads for long; kills=2000 faults=500 minutes=60
	KILLS=$(or $(kills),2000) FAULTS=$(or $(faults),500) FAULT_MINUTES=$(or $(minutes),60) STEP=1 \
		UPLOAD_FAULTS=60 $(python) -m pytest --capture=no tests/crash/publishing tests/crash/ingestion

.PHONY: soak
soak: setup .venv/.development ## Run the backend under mixed load and check it; minutes=N for other than 60
	$(python) -m tests.soak --minutes $(or $(minutes),60) $(options)

.PHONY: bench
bench: setup .venv/.development ## Run the benchmarks
	@for benchmark in benchmarks/[a-z]*.py; do $(python) "$$benchmark"; done

.PHONY: deb
deb: setup .venv/.development ## Build the Debian package of daemon and App into dist/, and try it
	@mkdir -p dist
	scripts/check-deb "$$($(python) scripts/build_deb.py dist | tail -1)"

.PHONY: wheels
wheels: .venv/.wheels ## Build wheels for Linux on x86-64 and aarch64 into dist/; targets=… for some
	scripts/build-wheels dist $(targets)

# --- Working on it.

.PHONY: format
format: setup .venv/.development ## Format the code
	$(python) -m ruff check --fix --select I
	$(python) -m ruff format
	scripts/with-rust cargo fmt --all

.PHONY: lock
lock: .venv/.development ## Lock the Python packages anew; upgrade=--upgrade takes newer ones
	$(call compile,requirements.lock,pyproject.toml --group build)
	$(call compile,requirements-dev.lock,pyproject.toml --group dev --constraints requirements.lock)
	$(call compile,requirements-s3.lock,--group s3)
	$(call compile,requirements-oidc.lock,--group oidc)
	$(call compile,requirements-wheels.lock,--group wheels)

# The locks hold for every Python and machine, and name no host.
compile = .venv/bin/uv pip compile $(2) $(upgrade) --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --output-file $(1)

.PHONY: reference
reference: setup .venv/.development ## Write the generated parts of docs/reference
	$(python) -m scripts.reference

.PHONY: pictures
pictures: setup .venv/.development ## Take the pictures of the App's screens in docs/pictures/app anew
	@scripts/install-tools browser
	$(python) -m tests.integration.app.pictures docs/pictures/app

.PHONY: icons
icons: setup .venv/.development ## Draw the App's icons as PNG files anew, from the SVG
	@scripts/install-tools browser
	$(python) -m tests.integration.app.icons src/immuni/app/pages/static/icons

.PHONY: proto
proto: setup .venv/.development ## Generate the code for the export file's messages
	PATH="$$PWD/.venv/bin:$$PATH" $(python) -m grpc_tools.protoc --proto_path=src --python_out=src \
		--mypy_out=quiet:src src/immuni/export/proto/export.proto

.PHONY: clean
clean: ## Remove what was built and set up; the data in var/ stay
	rm -rf .venv target docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +
	find src -name '_native*.so' -delete
