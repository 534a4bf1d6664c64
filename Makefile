# Everything a person or CI does with this repository, by name. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

REAL := $(CURDIR)/target/real-programs
SCRIPTS := .ci/run tools/real-programs tools/rustup-home crates/dolt-store/tests/data/make

# An empty HOME will do.
RUSTUP := $(shell tools/rustup-home)
ifneq ($(RUSTUP),)
export RUSTUP_HOME := $(RUSTUP)
endif

.PHONY: help demo test soak bench fuzz lint

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## Show a town, its issues and its server come to be; without Dolt if there is none
	@PATH="$(REAL)/dolt-1.88.1:$$PATH" cargo run --quiet --locked --bin gt -- quickstart

test: ## Run all tests, those against the real programs included
	@tools/real-programs all
	@GT_TEST_REQUIRE_REAL=1 cargo test --workspace --locked

soak: ## Try writing at random and in turns with the real programs; MINUTES=10 or SECONDS=600, SEED=N: that case only
	@tools/real-programs all
	GT_TEST_REQUIRE_REAL=1 GT_SOAK_SECONDS=$(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),$$(($(or $(MINUTES),10) * 60))) \
		SEED=$(SEED) cargo test --locked --test live -- soak --nocapture --test-threads=1

bench: ## Measure, against the real programs, optimised; ONLY=NAME: one part
	@tools/real-programs all
	cargo bench --locked -- $(ONLY)

fuzz: ## Feed damaged bytes to what reads Dolt's files; FOR=60: seconds for each target, ONLY=NAME
	cargo run --locked --profile fuzzing -p dolt-store --features fuzzing --example fuzz -- $(or $(FOR),10) $(ONLY)

lint: ## Check format, lints, documentation and scripts
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done
