# Development tasks; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help run test chaos check fmt generate services bench-queue bench-inference bench-tables bench-ml bench-filters smoke chart load web web-dev web-check \
	web-test browser-test

LISTEN ?= 127.0.0.1:8080
DATA_DIR ?= ./data
SEED ?= $(shell date +%s)
JOBS ?= 1000
FAULTS ?= 100
REPORT ?=

# Node.js in the version that the console needs, if the system has an older one.
NPM := PATH="$(CURDIR)/target/tools/web/bin:$$PATH" npm --prefix web

include release.mk

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

run: ## Build Trainyard and run all roles in one process: SQLite, in-memory queue, local files
	@scripts/ensure build
	@$(MAKE) --no-print-directory web || echo "The console could not be built; Trainyard starts without it." >&2
	cargo build --profile quickstart --locked -p trainyard
	@exec target/quickstart/trainyard up --listen $(LISTEN) --data-dir $(DATA_DIR)

web: ## Build the console into web/dist, which the next build of the binary embeds
	@scripts/ensure web
	@$(NPM) run --silent build

web-dev: ## Serve the console with hot reload; TRAINYARD_URL is the API, by default http://127.0.0.1:8080
	@scripts/ensure web
	@$(NPM) run --silent dev

web-check: # Format, lints and types of the console
	@scripts/ensure web
	@$(NPM) run --silent check

web-test: # Unit tests of the console, and the sizes of its build
	@scripts/ensure web
	@$(NPM) run --silent test

browser-test: ## Tests of the console in Chromium against the binary, on both stacks; SCREENSHOTS=folder keeps pictures of every page
	@scripts/ensure web browser services
	cargo build --locked --workspace --bins --tests
	@rm -rf target/browser-failures
	@$(NPM) run --silent test:browser || { echo "pictures of failed browser tests: target/browser-failures" >&2; exit 1; }

test: ## Run every test, with SQLite + memory + files and with Postgres + Redis + S3, which the tests start, and the console in Chromium
	@scripts/ensure build services charts prometheus issuers schemathesis tritonclient onnxruntime
	@$(MAKE) --no-print-directory web web-test
	cargo test --workspace --locked
	@$(MAKE) --no-print-directory browser-test

chaos: ## Inject faults while jobs run, then check all guarantees: SEED, JOBS, FAULTS, REPORT=file
	@scripts/ensure build services
	SEED=$(SEED) JOBS=$(JOBS) FAULTS=$(FAULTS) REPORT=$(REPORT) cargo test --locked -p trainyard --test chaos -- \
		--ignored --exact --nocapture storm::a_long_seeded_storm_loses_nothing_and_publishes_nothing_twice

check: ## Format, lints, dependency bans, licences and advisories (ADVISORY_DB=clone if GitHub is unreachable), generated files, layout, pipelines
	@scripts/ensure build deny
	@$(MAKE) --no-print-directory web-check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo clippy --workspace --locked --features trainyard/noop -- --deny warnings
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	@scripts/advisories
	cargo test --workspace --locked --test tidy
	@$(MAKE) --no-print-directory pipelines

fmt: ## Format the code
	cargo fmt --all

generate: ## Update the generated files: docs/openapi.json, docs/configuration.md, docs/metrics.md, the chart's README, the gRPC messages, the console's API types
	cargo run -q --locked -p trainyard -- openapi > docs/openapi.json
	cargo run -q --locked -p trainyard -- config --markdown > docs/configuration.md
	cargo run -q --locked -p trainyard -- metrics > docs/metrics.md
	scripts/chart-readme > charts/trainyard/README.md
	GENERATE=1 cargo test -q --locked -p trainyard-inference --test proto
	@scripts/ensure web
	@$(NPM) run --silent generate

services: ## Start a private Postgres, Redis and S3 endpoint and print the settings to connect
	@scripts/ensure build services
	cargo run -q --locked -p trainyard-testkit --bin services

chart: ## Render the Helm chart for every set of values in charts/trainyard/ci to target/chart/*.yaml
	@scripts/ensure charts
	@mkdir -p target/chart
	@for values in charts/trainyard/ci/*.yaml; do \
		target/tools/charts/bin/helm template trainyard charts/trainyard -n trainyard -f $$values 2>/dev/null > target/chart/$${values##*/} \
			&& echo target/chart/$${values##*/} || exit 1; \
	done

bench-queue: ## Benchmark queue and training jobs against arq, BullMQ, pg-boss and graphile-worker; QUICK=1 for three minutes, REPORT=file
	@scripts/ensure build services peers
	cargo build --profile dist --locked -p trainyard -p trainyard-bench --features trainyard/noop
	@exec target/dist/trainyard-bench queue $(if $(QUICK),--quick) $(if $(REPORT),--report $(REPORT))

bench-inference: ## Benchmark predictions against a bare HTTP route, FastAPI with scikit-learn and ONNX Runtime, MLServer and Triton: QUICK=1, ONLY="throughput swaps", REPORT=file
	@scripts/ensure build services serving
	cargo build --profile dist --locked -p trainyard -p trainyard-bench
	@exec target/dist/trainyard-bench inference $(ONLY) $(if $(QUICK),--quick) $(if $(REPORT),--report $(REPORT))

bench-tables: ## Benchmark an upload with its profile against pandas and polars: ROUNDS, REPORT=file
	@scripts/ensure build tables
	cargo build --profile dist --locked -p trainyard
	@exec target/tools/tables/bin/python bench/tables.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(REPORT),--report $(REPORT))

bench-ml: ## Benchmark training against scikit-learn, its Intel extension, LightGBM, XGBoost, CatBoost and FLAML: ONLY=svm, TABLE=titanic, ROUNDS, REPORT=file; QUICK=1 for five minutes, LARGE=1 for a million rows, AUTOGLUON=1
	@scripts/ensure build ml $(if $(AUTOGLUON),autogluon)
	cargo build --profile dist --locked -p trainyard-bench-ml
	@exec target/tools/ml/bin/python bench/ml.py $(foreach model,$(ONLY),--only $(model)) $(foreach table,$(TABLE),--table $(table)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(QUICK),--quick) $(if $(LARGE),--large) \
		$(if $(REPORT),--report $(REPORT))

bench-filters: ## Measure a page of jobs for each combination of two conditions, with a million jobs in Postgres
	@scripts/ensure build services
	cargo test --workspace --locked --test conformance -- --ignored --exact --nocapture \
		measurement::two_conditions_at_a_million_jobs

smoke: ## Start docker-compose.yml and test it: train, predict, kill a worker, scale; SMOKE_BUILD=0 uses the existing image
	@scripts/ensure smoke
	@scripts/smoke

load: ## Run load tests with the limits of load-tests/budgets.json: SCENARIO=name, SOAK=1 for a long soak, REPORT=file; LOAD_URL=… for a running installation
	@scripts/ensure build $(if $(LOAD_URL),,services) k6
	$(if $(BINARY)$(LOAD_URL),,cargo build --profile dist --locked -p trainyard)
	cargo run -q --locked -p trainyard-load -- $(SCENARIO) $(if $(SOAK),--long) $(if $(BINARY),--binary $(BINARY)) \
		$(if $(BUDGETS),--budgets $(BUDGETS)) $(if $(REPORT),--report $(REPORT))
