//! What of a task is traced here: each decision, and what is over when a record is durable.

use cadre_core::{
    task::{Event, Record, Task},
    workflow::Pattern,
};
use cadre_runtime::{genai, trace};
use tracing::Span;

use super::questions;

/// The span of a decision, until its debts are paid.
pub(super) fn span(before: Option<&Task>, record: &Record, after: &Task) -> Span {
    if !trace::is_exporting() {
        return Span::none();
    }
    let is_plan = record.events.iter().any(|event| plans(event, after));
    genai::decision(before, record, after, is_plan)
}

/// Whether the event says what is to be done: a declared workflow begins, or a lead has planned.
fn plans(event: &Event, after: &Task) -> bool {
    match event {
        Event::Accepted { .. } => true,
        Event::StepCompleted { step, .. } => {
            let crew = after.crews.get(&step.name);
            step.item == Some(0) && crew.is_some_and(|crew| crew.pattern == Pattern::Planner)
        }
        Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepDispatched { .. }
        | Event::StepDelayed { .. }
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
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Ended { .. } => false,
    }
}

/// Tells what the durable `record` has ended: questions to people, the task.
pub(super) fn tell(before: Option<&Task>, record: &Record, after: &Task) {
    if !trace::is_exporting() {
        return;
    }
    for over in questions::ended(before, record, after) {
        let (step, times) = (over.step.to_string(), (over.since, record.at));
        let (kind, outcome) = (over.kind, over.outcome);
        genai::approval(after, genai::Approval { step: &step, kind, times, outcome });
    }
    if let Some(end) = after.ended()
        && before.is_none_or(|task| task.ended().is_none())
    {
        genai::workflow(after, record.at, end.status, &end.reason);
    }
}
