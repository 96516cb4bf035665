//! What happens to one task, line by line, for people.
//!
//! [`Timeline`] turns records into lines; it keeps the task's state, so it knows how long a
//! step took. [`follow`] reads the records of a task as they are written. Used by `task watch`,
//! `goal publish --follow` and `demo`.

mod follow;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId},
    task::{AGGREGATE, EndStatus, Event, Record, Task, Usage},
    time::UnixMillis,
    workflow::Workflow,
};

pub use follow::{FollowError, Records, follow};

use crate::output::{
    Look, Style,
    text::{brief, clean, count, span, usd},
};

/// Characters of a reason that one line shows.
const REASON_CHARS_MAX: usize = 160;

/// Turns the records of one task into lines.
#[derive(Debug)]
pub struct Timeline {
    style: Style,
    task: Option<Task>,
    workflow: Option<Arc<Workflow>>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Goal,
    Expanded,
    Started,
    Completed,
    Unsure,
    Failed,
    Skipped,
    Waiting,
    Limit,
    Ended(EndStatus),
}

/// One line before it is put together.
struct Line {
    mark: Mark,
    what: String,
    who: String,
    rest: String,
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
                let who = goal.workflow.to_string();
                let rest = format!("task {}, within {time}", goal.task);
                Line { mark: Mark::Goal, what: "goal".to_owned(), who, rest }
            }
            Event::Expanded { step, items } => {
                let items = items.value().as_array().map_or(0, Vec::len);
                let rest = count(items as u64, "item");
                Line { mark: Mark::Expanded, what: step.to_string(), who: String::new(), rest }
            }
            Event::StepDispatched { step, attempt, role, .. } => {
                let rest = if *attempt > 1 { format!("attempt {attempt}") } else { String::new() };
                let (what, who) = (step.to_string(), role.to_string());
                Line { mark: Mark::Started, what, who, rest }
            }
            Event::StepCompleted { step, confidence, unsure, usage, .. } => {
                let parts = [
                    self.contract(&step.name),
                    Some(self.took(step, record.at)),
                    confidence.map(|confidence| format!("confidence {confidence:.2}")),
                    cost(*usage),
                    unsure.as_ref().map(|why| format!("unsure: {}", reason(why))),
                ];
                let mark = if unsure.is_some() { Mark::Unsure } else { Mark::Completed };
                self.of_step(mark, step, join(parts))
            }
            Event::StepFailed { step, failure, usage } => {
                let why = format!("{}: {}", failure.kind.as_str(), reason(&failure.message));
                let parts = [Some(why), Some(self.took(step, record.at)), cost(*usage)];
                self.of_step(Mark::Failed, step, join(parts))
            }
            Event::StepSkipped { step, reason: why } => {
                let (what, rest) = (step.to_string(), reason(why));
                Line { mark: Mark::Skipped, what, who: String::new(), rest }
            }
            Event::StepWaiting { step, question, .. } => {
                self.of_step(Mark::Waiting, step, reason(question))
            }
            Event::LimitReached { limit } => {
                let (what, rest) = ("limit".to_owned(), reason(limit));
                Line { mark: Mark::Limit, what, who: String::new(), rest }
            }
            Event::Ended { status, reason: why, .. } => {
                let (what, who) = ("task".to_owned(), status.as_str().to_owned());
                Line { mark: Mark::Ended(*status), what, who, rest: reason(why) }
            }
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

    fn contract(&self, step: &Name) -> Option<String> {
        let workflow = self.workflow.as_ref()?;
        if step.as_str() == AGGREGATE {
            return Some(workflow.output.id());
        }
        Some(workflow.step(step)?.role.returns.id())
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

impl Mark {
    /// On a terminal, elsewhere, and in which colour.
    fn shown(self) -> (&'static str, &'static str, Look) {
        match self {
            Self::Goal => ("●", "goal", Look::Strong),
            Self::Expanded => ("⋔", "split", Look::Dim),
            Self::Started => ("▸", "start", Look::Begin),
            Self::Completed => ("✓", "done", Look::Good),
            Self::Unsure => ("≈", "maybe", Look::Warn),
            Self::Failed => ("✗", "fail", Look::Bad),
            Self::Skipped => ("○", "skip", Look::Dim),
            Self::Waiting => ("?", "ask", Look::Warn),
            Self::Limit => ("!", "limit", Look::Warn),
            Self::Ended(EndStatus::Completed) => ("■", "end", Look::Good),
            Self::Ended(EndStatus::Partial) => ("■", "end", Look::Warn),
            Self::Ended(EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete) => {
                ("■", "end", Look::Bad)
            }
        }
    }
}

fn reason(text: &str) -> String {
    brief(&clean(text), REASON_CHARS_MAX)
}

fn cost(usage: Usage) -> Option<String> {
    (usage.usd_micros > 0).then(|| usd(usage.usd_micros))
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
