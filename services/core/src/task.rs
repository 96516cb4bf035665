//! The task machine: what may happen to one goal, from acceptance to answer.
//!
//! ```text
//!            goal                       every step ended             report of the gate
//!   (none) ───────► Running ──────────────────────────► Aggregating ───────────────► Ended
//!                    │  ▲  report, timer, advance            │                completed | partial |
//!                    └──┘                                    │                failed | cancelled |
//!                    └───────────── cancel, deadline ────────┴──────────────► incomplete
//!                                    └─► Compensating ─► Ended, where completed steps are undone
//! ```
//!
//! [`decide`] turns an input into events or a refusal, [`Task::apply`] folds events
//! into state, [`Task::orders_since`], [`Task::wake_at`] and [`Task::answer`] say what
//! the state owes. Only data is replayed, never code: events hold rendered inputs.
//! The orchestrator's partitions are the only caller.

mod ask;
mod bill;
mod budget;
mod compensate;
mod crew;
mod decide;
mod dispatch;
mod env;
mod event;
mod fill;
mod fork;
mod gather;
mod input;
mod join;
mod model_use;
mod owes;
mod person;
mod plan;
mod retry;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod why;

pub use ask::{Ask, AskKind};
pub(crate) use compensate::has_done;
pub use compensate::{undoes, undone_by};
pub use crew::{CrewRun, HandOff};
pub use decide::{Draft, Moment, Seen, Verdict, decide};
pub use dispatch::{Permit, Roles, Unlimited};
pub use event::{Cause, EndStatus, Event, Record};
pub(crate) use input::clip_to;
pub use input::{
    Action, Budget, Cancel, Control, Decision, Failure, FailureKind, Fork, Goal, GoalLimits, Input,
    Outcome, Report, Resource, Ruling, Usage, clip,
};
pub use model_use::ModelUse;
pub use owes::{Answer, Order, Stop};
pub use person::NOBODY_DECIDED;
pub use state::{AGGREGATE, End, Ending, FanOut, Joined, Phase, Step, StepState, Task};
pub use why::{awaited, unserved, why};
