# What a person does here. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help run test chaos check fmt generate services bench-queue

LISTEN ?= 127.0.0.1:8080
DATA_DIR ?= ./data
SEED ?= $(shell date +%s)
JOBS ?= 1000
FAULTS ?= 100
REPORT ?=

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

run: ## Build Trainyard and run all of it in one process: SQLite, in-memory queue, local files
	@scripts/ensure build
	cargo build --release --locked -p trainyard
	@exec target/release/trainyard up --listen $(LISTEN) --data-dir $(DATA_DIR)

test: ## Every test, on SQLite + memory + files and on Postgres + Redis + S3, which it starts itself
	@scripts/ensure build services prometheus
	cargo test --workspace --locked

chaos: ## Break everything under a stream of jobs, then check what was promised: SEED, JOBS, FAULTS, REPORT=file
	@scripts/ensure build services
	SEED=$(SEED) JOBS=$(JOBS) FAULTS=$(FAULTS) REPORT=$(REPORT) cargo test --locked -p trainyard --test chaos -- \
		--ignored --exact --nocapture storm::a_long_seeded_storm_loses_nothing_and_publishes_nothing_twice

check: ## Format, lints, dependency bans and licences, generated files, layout rules
	@scripts/ensure build deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	cargo test --workspace --locked --test tidy

fmt: ## Format the code
	cargo fmt --all

generate: ## Write the generated files again: docs/openapi.json, docs/configuration.md, docs/metrics.md
	cargo run -q --locked -p trainyard -- openapi > docs/openapi.json
	cargo run -q --locked -p trainyard -- config --markdown > docs/configuration.md
	cargo run -q --locked -p trainyard -- metrics > docs/metrics.md

services: ## Start a private Postgres, Redis and S3 endpoint and print the settings that reach them
	@scripts/ensure build services
	cargo run -q --locked -p trainyard-testkit --bin services

bench-queue: ## Measure the queue beside arq, BullMQ, pg-boss and graphile-worker; QUICK=1 for three minutes, REPORT=file to keep it
	@scripts/ensure build services peers
	cargo build --release --locked -p trainyard -p trainyard-bench
	@exec target/release/trainyard-bench $(if $(QUICK),--quick) $(if $(REPORT),--report $(REPORT))
