//! What happens to one task, line by line, for people.
//!
//! [`Timeline`] turns records into lines; it keeps the task's state, so it knows how long a
//! step took. [`follow`] reads the records of a task as they are written. Used by `task watch`,
//! `goal publish --follow` and `demo`.

mod follow;
mod line;
pub(crate) mod partial;
mod saga;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId},
    task::{AGGREGATE, Event, Failure, Record, StepState, Task, Usage},
    time::UnixMillis,
    workflow::Workflow,
};

pub use follow::{FollowError, Records, follow};
pub(crate) use line::added;

use self::line::{Line, Mark, asked, cost, join, reason};
use crate::output::{
    Look, Style,
    text::{count, span},
};

/// Turns the records of one task into lines.
#[derive(Debug)]
pub struct Timeline {
    style: Style,
    task: Option<Task>,
    workflow: Option<Arc<Workflow>>,
}

impl Timeline {
    /// A timeline that has seen nothing yet.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, task: None, workflow: None }
    }

    /// Also shows the contract that each output satisfies.
    #[must_use]
    pub fn knowing(mut self, workflow: Option<Arc<Workflow>>) -> Self {
        self.workflow = workflow;
        self
    }

    /// The task as of the last record.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.task.as_ref()
    }

    /// What one record says; records must come in order.
    pub fn lines(&mut self, record: &Record) -> Vec<String> {
        let begun = self.task.as_ref().map_or(record.at, |task| task.accepted_at);
        let elapsed = record.at.since(begun);
        let lines: Vec<_> = record
            .events
            .iter()
            .map(|event| self.print(elapsed, &self.line(event, record)))
            .collect();
        Task::fold(&mut self.task, record);
        lines
    }

    fn line(&self, event: &Event, record: &Record) -> Line {
        match event {
            Event::Accepted { goal, deadline } => {
                let time = span(deadline.since(record.at));
                let rest = format!("task {}, within {time}", goal.task);
                Line { who: goal.workflow.to_string(), ..Line::new(Mark::Goal, "goal", rest) }
            }
            Event::Expanded { step, items } => {
                let items = items.value().as_array().map_or(0, Vec::len);
                Line::new(Mark::Expanded, step.as_str(), count(items as u64, "item"))
            }
            Event::CrewBegan { .. } | Event::HandedOff { .. } | Event::LoopFound { .. } => {
                self.of_crew(event)
            }
            Event::StepDispatched { step, attempt, role, .. } => {
                let rest = if *attempt > 1 { format!("attempt {attempt}") } else { String::new() };
                let who = role.to_string();
                Line { who, ..Line::new(Mark::Started, &step.to_string(), rest) }
            }
            Event::StepDelayed { step, role, degraded, until, reason: why, usage, .. } => {
                let text = join([Some(reason(why)), cost(*usage)]);
                let wait = until.since(record.at);
                self.delayed(step, role, (degraded.is_some(), wait), &text)
            }
            Event::StepCompleted { step, .. } => self.completed(step, record.at, event),
            Event::StepFailed { step, failure, usage } => {
                self.failed(step, record.at, failure, *usage)
            }
            Event::StepSkipped { step, reason: why } => {
                Line::new(Mark::Skipped, step.as_str(), reason(why))
            }
            Event::StepWaiting { step, ask, usage } => {
                let parts = [Some(asked(ask, record.at)), cost(*usage)];
                self.of_step(Mark::Waiting, step, join(parts))
            }
            Event::Voted { step, by } => {
                let rest = format!("{} agrees{}", reason(by), self.votes(step));
                self.of_step(Mark::Voted, step, rest)
            }
            Event::CallRuled { step, by, ruling } => {
                let rest = format!("{} knows: {}", reason(by), ruling.as_str());
                self.of_step(Mark::Voted, step, rest)
            }
            Event::LimitReached { limit, is_held } => line::limit(limit, *is_held),
            Event::BudgetNear { text, .. } => Line::new(Mark::Limit, "budget", reason(text)),
            Event::BudgetAdded { by, budget, .. } => line::topped_up(by, *budget),
            Event::Paused { by } => line::paused(by),
            Event::Resumed { by } => line::resumed(by),
            Event::Refused { what, why } => line::refused(what, why),
            Event::Compensating { .. }
            | Event::Joined { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Forked { .. } => self.saga(event, record.at),
            Event::Ended { status, reason: why, .. } => {
                let who = status.as_str().to_owned();
                Line { who, ..Line::new(Mark::Ended(*status), "task", reason(why)) }
            }
        }
    }

    fn of_crew(&self, event: &Event) -> Line {
        if let Event::CrewBegan { step, pattern, turns_max, .. } = event {
            let rest = format!("{pattern}, at most {}", count(u64::from(*turns_max), "turn"));
            return Line::new(Mark::Crew, step.as_str(), rest);
        }
        if let Event::HandedOff { step, to, reason: why } = event {
            let rest = format!("hands off to {to}: {}", reason(why));
            return self.of_step(Mark::HandedOff, step, rest);
        }
        let Event::LoopFound { step, text, .. } = event else {
            return Line::new(Mark::Loop, "crew", String::new());
        };
        Line::new(Mark::Loop, step.as_str(), reason(text))
    }

    /// The next attempt waits, or is another role's.
    fn delayed(
        &self,
        step: &StepId,
        role: &Name,
        (is_degraded, wait): (bool, Duration),
        why: &str,
    ) -> Line {
        let known = self.task.as_ref().and_then(|task| task.steps.get(step));
        let is_new = known.is_none_or(|step| step.role.as_ref() != Some(role));
        let rest = match (is_degraded && is_new, wait.is_zero()) {
            (true, true) => format!("goes to role {role} (degraded): {why}"),
            (true, false) => format!("goes to role {role} (degraded) in {}: {why}", span(wait)),
            (false, _) => format!("waits {}: {why}", span(wait)),
        };
        Line { who: role.to_string(), ..Line::new(Mark::Delayed, &step.to_string(), rest) }
    }

    fn completed(&self, step: &StepId, at: UnixMillis, event: &Event) -> Line {
        let Event::StepCompleted { confidence, unsure, degraded: said, usage, .. } = event else {
            return self.of_step(Mark::Completed, step, String::new());
        };
        let known = self.task.as_ref().and_then(|task| task.steps.get(step));
        let degraded = known.and_then(|step| step.degraded.as_deref());
        let parts = [
            self.contract(step),
            Some(self.took(step, at)),
            confidence.map(|confidence| format!("confidence {confidence:.2}")),
            cost(*usage),
            unsure.as_ref().map(|why| format!("unsure: {}", reason(why))),
            // Of a role it was said when the step went there.
            said.as_ref()
                .map(|why| format!("degraded: {}", reason(why)))
                .or_else(|| degraded.map(|_| "degraded".to_owned())),
        ];
        let mark = if unsure.is_some() { Mark::Unsure } else { Mark::Completed };
        self.of_step(mark, step, join(parts))
    }

    fn failed(&self, step: &StepId, at: UnixMillis, failure: &Failure, usage: Usage) -> Line {
        let why = format!("{}: {}", failure.kind.as_str(), reason(&failure.message));
        let parts = [Some(why), Some(self.took(step, at)), cost(usage)];
        self.of_step(Mark::Failed, step, join(parts))
    }

    /// How many have agreed with one vote more, of how many.
    fn votes(&self, step: &StepId) -> String {
        let known = self.task.as_ref().and_then(|task| task.steps.get(step));
        match known.map(|step| &step.state) {
            Some(StepState::Waiting { ask, votes }) => {
                format!(" ({} of {})", votes.len() + 1, ask.quorum)
            }
            Some(
                StepState::Dispatched { .. }
                | StepState::Delayed { .. }
                | StepState::Completed { .. }
                | StepState::Failed(_)
                | StepState::Skipped(_)
                | StepState::Cancelled,
            )
            | None => String::new(),
        }
    }

    fn of_step(&self, mark: Mark, step: &StepId, rest: String) -> Line {
        let known = self.task.as_ref().and_then(|task| task.steps.get(step));
        let who = known.and_then(|step| step.role.as_ref()).map(Name::to_string);
        Line { mark, what: step.to_string(), who: who.unwrap_or_default(), rest }
    }

    /// From the work order to now.
    fn took(&self, step: &StepId, at: UnixMillis) -> String {
        let known = self.task.as_ref().and_then(|task| task.steps.get(step));
        span(known.map_or(Duration::ZERO, |step| at.since(step.changed_at)))
    }

    fn contract(&self, step: &StepId) -> Option<String> {
        let workflow = self.workflow.as_ref()?;
        if step.name.as_str() == AGGREGATE {
            return Some(workflow.output.id());
        }
        let declared = workflow.step(&step.name)?;
        match declared.crew() {
            Some(crew) if step.item.is_none() => Some(crew.returns.as_ref()?.id()),
            Some(crew) => {
                let role = self.task.as_ref()?.steps.get(step)?.role.as_ref()?;
                Some(crew.roles().find(|member| member.name == *role)?.returns.id())
            }
            None => Some(declared.role()?.returns.id()),
        }
    }

    fn print(&self, elapsed: Duration, line: &Line) -> String {
        let (seconds, ms) = (elapsed.as_secs(), elapsed.subsec_millis());
        let time = self.style.paint(Look::Dim, &format!("{:>9}", format!("+{seconds}.{ms:03}s")));
        let (glyph, word, look) = line.mark.shown();
        let mark = if self.style.has_glyphs { glyph.to_owned() } else { format!("{word:<5}") };
        let mark = self.style.paint(look, &mark);
        let text = format!("{time}  {mark}  {:<14}  {:<14}  {}", line.what, line.who, line.rest);
        text.trim_end().to_owned()
    }
}
