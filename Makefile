# Short names for what the README and .ci/run do.
.PHONY: demo test fmt lint ci

demo:
	cargo run --release -- demo

test:
	cargo test

fmt:
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets -- -D warnings

ci:
	.ci/run
