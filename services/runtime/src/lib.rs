//! How Cadre lives: actor glue, supervision, the workers' shell, telemetry, shutdown.
//!
//! Knows the ports of [`cadre_core`] and no adapter. Services are built of these parts:
//! a [`supervise::Supervisor`] that owns one actor per role or partition, each fed by a pump.

pub mod backoff;
pub mod breaker;
pub mod cache;
pub mod genai;
pub mod metrics;
pub mod redact;
pub mod shutdown;
pub mod supervise;
pub mod task;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokens;
pub mod trace;
pub mod worker;
