//! Tells programs of the ends of tasks: webhooks, by Standard Webhooks 1.0.
//!
//! ```text
//!  register ─► courier ─► one task a webhook ─► ends ─► sender ─► receiver
//!                                   │                     └── only to addresses that may be reached
//!                                   └──► note, settle: what was not taken comes again
//! ```
//!
//! [`Sender`] sends one message; the courier is a job of [`crate::EdgeService`], and any number of processes
//! share the work. Invariant: an end is let go of only when it was taken, or its loss is durably noted; a
//! message goes to no address that was not checked after its name was resolved.

mod address;
mod courier;
mod send;
#[cfg(test)]
mod tests;

pub(crate) use self::courier::carry;
pub use self::{
    address::{AddressError, Reach, ReachError, check},
    send::{Sender, SenderError, Sent},
};
