//! The inference gateway: the one place with provider keys.
//!
//! ```text
//!  worker ── ask ──► service ──► gateway ── route, price, pace, breaker ──► provider
//!         ◄─ answer, beats ──┘      └─ holds ──► other gateways
//! ```
//!
//! Workers ask over the bus ([`cadre_core::ports::Models`]); which model an alias means, what it may cost and
//! who is passed over is decided by [`cadre_core::model`]. Invariants: nothing is asked that could cost more
//! than the request's grant, and no failure, log line or answer holds a key.

mod fleet;
mod gateway;
pub mod local;
mod pace;
mod provider;
mod service;
mod simulated;
mod slots;

pub use self::{
    gateway::{Gateway, GatewayTerms, Sound},
    pace::{RateTable, RateTableError},
    provider::{ProviderError, ProviderSetup, Providers, SIMULATED, Secret, Wire},
    service::{InferenceService, InferenceSnapshot, ServiceOptions, StartError},
    simulated::{SimulatedOptions, SimulatedOptionsError},
};
