//! Evaluation: what a pack's tasks come to, beside what was expected of them, and beside what they came to before.
//!
//! ```text
//!  Suite, Case (YAML) ─────────────────────► grade ─► what was missed ─┐
//!  log, journals of a try ─► Trace ─────────────┘                     ├─► CaseScore ─► compare ─► Change
//!                              └─ steps, tools, wrong turns, cost ─────┘                  ▲ a baseline
//! ```
//!
//! Pure: `cadre eval` plays the cases and reads the streams. Invariant: a score follows from records and
//! journals alone, so the same streams give the same score, whoever reads them.

mod cassette;
mod compare;
mod grade;
mod score;
mod secret;
mod suite;
#[cfg(test)]
mod tests;
mod trace;

pub use self::{
    cassette::recorded,
    compare::{Change, compare},
    grade::{Accuracy, accuracy, grade},
    score::{CaseScore, Totals},
    secret::{redacted, suspects},
    suite::{Case, Check, Expect, Origin, Suite, SuiteError, Tools},
    trace::{Latency, ModelCall, Trace},
};
