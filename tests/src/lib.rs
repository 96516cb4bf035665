//! Proves Cadre from outside: harness, contract, flow, chaos, house rules.
