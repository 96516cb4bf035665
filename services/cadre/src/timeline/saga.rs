//! Lines about compensations, races, retries and forks.

use cadre_core::{task::Event, time::UnixMillis};

use super::{
    Timeline,
    line::{Line, Mark, reason},
};
use crate::output::text::span;

/// Names that one line lists.
const NAMED_MAX: usize = 6;

impl Timeline {
    /// The line of such an event; an empty one for any other.
    pub(super) fn saga(&self, event: &Event, at: UnixMillis) -> Line {
        match event {
            Event::Compensating { status, reason: why, until, .. } => {
                let (status, time) = (status.as_str(), span(until.since(at)));
                let rest = format!("will end as {status}, undone within {time}: {}", reason(why));
                Line::new(Mark::Undone, "task", rest)
            }
            Event::Joined { step, winners, reason: why, .. } => {
                let rest = format!("takes {}: {}", named(winners), reason(why));
                Line::new(Mark::Joined, step.as_str(), rest)
            }
            Event::Retried { step, by, freed } => {
                let freed = if freed.is_empty() {
                    String::new()
                } else {
                    format!(", and {} behind it", named(freed))
                };
                let rest = format!("tried again for {}{freed}", reason(by));
                Line::new(Mark::Resumed, &step.to_string(), rest)
            }
            Event::TakenOver { step, rev, .. } => {
                Line::new(Mark::Taken, &step.to_string(), format!("taken over from record {rev}"))
            }
            Event::Forked { fork } => {
                let rest = format!("goes on from {} of task {}", fork.from, fork.task);
                Line::new(Mark::Goal, "fork", rest)
            }
            // The caller has these.
            Event::Accepted { .. }
            | Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::LoopFound { .. }
            | Event::StepDispatched { .. }
            | Event::StepDelayed { .. }
            | Event::StepCompleted { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped { .. }
            | Event::StepWaiting { .. }
            | Event::Voted { .. }
            | Event::CallRuled { .. }
            | Event::LimitReached { .. }
            | Event::BudgetNear { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Refused { .. }
            | Event::Ended { .. } => Line::new(Mark::Goal, "", String::new()),
        }
    }
}

fn named<T: ToString>(names: &[T]) -> String {
    let shown: Vec<_> = names.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}
