//! The dashboard: pages rendered on the server out of the read model.
//!
//! ```text
//!  request ─► feed (reads the model and the desk) ─► view struct ─► page ─► HTML
//!  /live  ─► topics that are stale ─► the browser fetches the parts in view again
//! ```
//!
//! A page is a pure function of its view: no I/O, no clock; ages count from `Chrome::now_ms`. No page has
//! an inline script or style, so that the content security policy can forbid them.

pub mod agents;
pub mod approvals;
mod assets;
pub mod audit;
pub mod breakers;
pub mod bus;
pub mod chrome;
mod feed;
pub mod gate;
mod icon;
pub mod letters;
pub mod overview;
pub mod packs;
mod part;
pub mod peek;
pub mod publish;
pub mod spend;
pub mod task;
pub mod tasks;
mod text;
pub mod webhooks;

#[cfg(test)]
mod tests;

pub use self::feed::{figures_of, needs_of, roles_of, router};
