//! The way in for people and programs: a read model, an HTTP API over it, and the dashboard.
//!
//! ```text
//!  CADRE_LOG ──► model (projector ─► SQLite) ──► http (/v1, SSE) ──► programs
//!                                       │
//!                                       └──────► pages (HTML)   ──► people
//!  wishes, goals, decisions ◄── the bus, through core's ports ◄── http, pages
//! ```
//!
//! The read model never is the truth: it can be deleted at any time and is folded again from the log.
//! Nothing here decides about a task: what people wish goes to the orchestrator over the bus.

pub mod bench;
pub mod drain;
pub mod http;
mod listen;
mod lookout;
pub mod model;
pub mod pages;
pub mod service;
pub mod webhooks;

pub use service::{EdgeError, EdgeOptions, EdgeService};
