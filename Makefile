# Short names for what the README and .ci/run do.
.PHONY: demo chaos test fmt lint ci

demo:
	cargo run --release -- demo

# Breaks things for SECONDS, prints figures, and fails when the check finds anything. The seed is
# printed; SEED=… makes the same choices again. What is broken is a cluster, in namespaces of its own:
# without the right to make them no cable is pulled and no disk is full. NODES=1 breaks one broker.
SECONDS ?= 120
SEED ?= $(shell date +%s)
NODES ?= 3
ROOMS = unshare --user --map-root-user --net --mount env CADRE_CHAOS_ROOMS=1
chaos:
	cargo build -p cadre
	cargo test -p cadre-tests --test chaos --no-run
	enter=; if [ $(NODES) != 1 ] && $(ROOMS) ip link add probe type bridge; then enter='$(ROOMS)'; fi; \
	CADRE_CHAOS_SECONDS=$(SECONDS) CADRE_CHAOS_SEED=$(SEED) CADRE_CHAOS_NODES=$(NODES) CADRE_LOG=error \
		$$enter cargo test -p cadre-tests --test chaos -- seeded --nocapture --test-threads 1

test:
	cargo test

fmt:
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets -- -D warnings

ci:
	.ci/run
