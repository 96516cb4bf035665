# Short names for what the README and .ci/run do.
.PHONY: demo chaos test fmt lint ci

demo:
	cargo run --release -- demo

# Breaks things for SECONDS, prints figures, and fails when the check finds anything. The seed is
# printed; SEED=… makes the same choices again.
SECONDS ?= 120
SEED ?= $(shell date +%s)
chaos:
	cargo build -p cadre
	CADRE_CHAOS_SECONDS=$(SECONDS) CADRE_CHAOS_SEED=$(SEED) CADRE_LOG=error \
		cargo test -p cadre-tests --test chaos seeded -- --nocapture

test:
	cargo test

fmt:
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets -- -D warnings

ci:
	.ci/run
